"""`sojae template backtest`: what a proposed version would do to the records that are stored."""

import json
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table

from sojae.adapters.published import folder_of
from sojae.adapters.stored_records import known_templates, stored_records
from sojae.adapters.template_files import TemplateBook, packaged_folder, read_template
from sojae.adapters.view_findings import has_joined_rules, view_findings
from sojae.cli.running import language
from sojae.domain.back_test import BackTest, Example, RuleCount
from sojae.domain.finding_words import shown_expected, shown_got
from sojae.domain.issue import rule_text
from sojae.domain.joined_rules import check_joined_rules
from sojae.domain.template import Template
from sojae.domain.text import Text
from sojae.surroundings import Surroundings

SUMMARY = Text(
    ko="{template}: 저장된 기록 {records}건 · 새로 격리 {newly_quarantined} · 새로 접수 {newly_accepted} · 새로 표시 {newly_flagged} · "
    "더는 표시 안 함 {newly_clean} · 해독 못 함 {undecodable} (비교: {current})",
    en="{template}: {records} stored records · newly quarantined {newly_quarantined} · newly accepted {newly_accepted} · "
    "newly flagged {newly_flagged} · no longer flagged {newly_clean} · not decodable {undecodable} (compared with {current})",
)
TOTALS = ("records", "undecodable", "newly_quarantined", "newly_accepted", "newly_flagged", "newly_clean")
RULE_NUMBERS = ("quarantined", "flagged", "before", "newly_quarantined", "newly_flagged", "newly_passing")
NOT_ASKED = Text(
    ko="규칙 {rules}은(는) 여러 기록을 함께 봅니다. 저장소에 아직 물성 기록 표가 없어 묻지 못했습니다.",
    en="The rules {rules} look at several records together, and were not asked: the store has no table of property records yet.",
)
HEADINGS = (
    Text(ko="규칙", en="rule"),
    Text(ko="기관", en="institute"),
    Text(ko="격리", en="quarantined"),
    Text(ko="표시", en="flagged"),
    Text(ko="현재", en="now"),
    Text(ko="새로 격리", en="newly quarantined"),
    Text(ko="새로 표시", en="newly flagged"),
    Text(ko="새로 통과", en="newly passing"),
    Text(ko="보기", en="example"),
)


@click.command("backtest")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--store", help="Store to look at; unset = SOJAE_STORE__URI, else that of this home.")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON.")
def backtest(file: Path, store: str | None, as_json: bool) -> None:
    """Ask the template of FILE (…/PROJECT/STAGE/VERSION.avsc) of every stored record, and say what would become of them.

    제안한 템플릿을 저장된 모든 기록에 적용해, 발행하기 전에 규칙마다 몇 건이 격리되거나 표시될지 보여 줍니다.
    """
    around = Surroundings.read()
    book, uri = around.templates(), store or around.store_uri
    proposed = _proposed(file, book)
    templates = known_templates(uri, book)
    test = BackTest(proposed, _current(templates, proposed))
    for records, undecodable in stored_records(uri, proposed.key.project, proposed.key.stage, templates):
        test.take(records)
        test.verdict.undecodable += undecodable
    _ask_joined(test, uri, book)
    if as_json:
        click.echo(json.dumps(_counts(test), ensure_ascii=False))
    else:
        _print(test)


def _proposed(file: Path, book: TemplateBook) -> Template:
    """Return the template of a file, its rules checked with the other stages of its project; raises TemplateError."""
    proposed = read_template(file.resolve(), [folder_of(file), packaged_folder()])
    others = [t for t in book if t.key.project == proposed.key.project and t.key != proposed.key]
    check_joined_rules(proposed, [*others, proposed], str(file))
    return proposed


def _current(templates: Sequence[Template], proposed: Template) -> Template | None:
    """Return the newest other template of the same project and stage that the proposed one would take the place of.

    The file may lie among the templates that are known: what it holds is never compared with itself. A draft that was
    edited in place is compared with what the store has kept of it.
    """
    before = [
        t
        for t in templates
        if t.key[:2] == proposed.key[:2] and t.sha256 != proposed.sha256 and t.key.number <= proposed.key.number
    ]
    return max(before, key=lambda t: t.key.number, default=None)


def _ask_joined(test: BackTest, uri: str, book: TemplateBook) -> None:
    """Ask the rules over several records, of the proposed version and of the current one, where there are any."""
    if not has_joined_rules(test.proposed) and not has_joined_rules(test.current):
        return
    before = view_findings(uri, book, test.current) if test.current is not None else []
    now = view_findings(uri, book, test.proposed)
    if before is not None and now is not None:
        test.take_joined(before, now)


def _print(test: BackTest) -> None:
    said, verdict, proposed = language(), test.verdict, test.proposed
    table = Table(*(heading[said] for heading in HEADINGS), box=None, pad_edge=False)
    for (rule, institute), count in sorted(verdict.rules.items()):
        numbers = (str(getattr(count, name)) for name in RULE_NUMBERS)
        table.add_row(rule, institute, *numbers, rule_text(rule, proposed)[said])
        for example in count.examples:
            table.add_row(*[""] * (len(HEADINGS) - 1), _shown(rule, example))
    if verdict.rules:
        Console(width=200).print(table)
    joined = [rule.id for rule in proposed.rules if rule.scope != "record"]
    if joined and not verdict.joined:
        click.echo(NOT_ASKED.format(rules=", ".join(joined))[said])
    names = {"template": str(proposed.key), "current": "–" if test.current is None else str(test.current.key)}
    click.echo(SUMMARY.format(**names, **{name: str(getattr(verdict, name)) for name in TOTALS})[said])


def _shown(rule: str, example: Example) -> str:
    got, expected = shown_got(example.got)[language()], shown_expected(rule, example.expected)[language()]
    where = "" if " = " in got or example.field is None else f"{example.field} "
    return f"{example.record_id}: {where}{got} ({expected})"


def _counts(test: BackTest) -> dict[str, object]:
    verdict = test.verdict
    return {
        "proposed": {"template": str(test.proposed.key), "sha256": test.proposed.sha256},
        "current": test.current and {"template": str(test.current.key), "sha256": test.current.sha256},
        **{name: getattr(verdict, name) for name in TOTALS},
        "joined_rules_asked": verdict.joined,
        "rules": [_rule_counts(rule, who, count) for (rule, who), count in sorted(verdict.rules.items())],
    }


def _rule_counts(rule: str, institute: str, count: RuleCount) -> dict[str, object]:
    numbers = {name: getattr(count, name) for name in RULE_NUMBERS}
    return {"rule": rule, "institute": institute, **numbers, "examples": [e._asdict() for e in count.examples]}
