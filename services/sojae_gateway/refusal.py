"""A request that is refused, as data: the rule, and what was got and expected where."""

from sojae.domain.errors import UserInputError
from sojae.domain.issue import RULES, Issue
from sojae.domain.text import Text


class Refused(UserInputError):  # noqa: N818 - an answer to a request, not a fault of ours
    """A request cannot be answered; `rule` says which of the gateway's or the templates' rules it breaks."""

    def __init__(
        self, rule: str, text: Text, *, field: str | None = None, got: str | None = None, expected: str | None = None
    ) -> None:
        super().__init__(en=text.en, ko=text.ko)
        self.rule = rule
        self.field = field
        self.got = got
        self.expected = expected


def refused_value(rule: str, field: str, got: object, expected: str) -> Refused:
    """Return the refusal of one value, with a sentence that says where, what was got and what is expected."""
    shown = shorten(got)
    text = Text(ko=f"{field}: {shown}입니다. {expected}이어야 합니다", en=f"{field}: got {shown}, expected {expected}")
    return Refused(rule, text, field=field, got=shown, expected=expected)


def refused_by_rule(issue: Issue, where: str) -> Refused:
    """Return the refusal that a template's check makes of a value, in the words of its rule; `where` leads to the value."""
    said = RULES.get(issue.rule, Text(ko=issue.rule, en=issue.rule))
    field = f"{where}{issue.field}" if issue.field else where
    text = Text(
        ko=f"{field}: {said.ko}. 값 {issue.got}, 기대 {issue.expected}",
        en=f"{field}: {said.en}; got {issue.got}, expected {issue.expected}",
    )
    return Refused(issue.rule, text, field=field, got=issue.got, expected=issue.expected)


def not_json(why: str) -> Refused:
    """Return the refusal of a body that is no JSON."""
    text = Text(ko=f"본문이 올바른 JSON이 아닙니다: {why}", en=f"the body is not valid JSON: {why}")
    return Refused("not_json", text, expected="one JSON object in UTF-8")


def shorten(value: object) -> str:
    """Return a value as it may stand in a message: short, whatever was sent."""
    if isinstance(value, float):
        return format(value, ".12g")
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 128 else text[:125] + "…"
