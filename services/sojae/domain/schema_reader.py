"""Attributes out of schema JSON, each checked as it is taken."""

from collections.abc import Mapping
from typing import NamedTuple

from sojae.domain.errors import TemplateError
from sojae.domain.text import Text


class Bounds(NamedTuple):
    """An inclusive range in the field's unit; None is an open end."""

    low: float | None
    high: float | None


class Reader:
    """Takes attributes out of schema JSON and says, in both languages, what is wrong where; each method raises TemplateError."""

    def __init__(self, where: str) -> None:
        self.where = where

    def error(self, got: str, expected: str) -> TemplateError:
        """Return the error of one attribute: where, what was got, what was expected."""
        return TemplateError(
            en=f"{self.where}: got {got}, expected {expected}; correct the template file",
            ko=f"{self.where}: {got}입니다. {expected}이어야 합니다. 템플릿 파일을 고치십시오",
        )

    def text(self, source: Mapping[str, object], key: str) -> str:
        """Return a text that must be there and not be empty."""
        value = source.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(
                f"{key} = {value!r} in {source.get('name') or source.get('id') or 'the schema'}", f"a text {key!r}"
            )
        return value

    def optional_text(self, source: Mapping[str, object], key: str) -> str | None:
        """Return a text, None where it is absent."""
        return self.text(source, key) if source.get(key) is not None else None

    def flag(self, source: Mapping[str, object], key: str) -> bool:
        """Return true or false; false where it is absent."""
        value = source.get(key, False)
        if not isinstance(value, bool):
            raise self.error(f"{key} = {value!r} of {source.get('name')}", "true or false")
        return value

    def label(self, source: Mapping[str, object], default: str, key: str = "label") -> Text:
        """Return a text in both languages; `default` where it is absent."""
        value = source.get(key)
        if value is None:
            return Text(ko=default, en=default)
        if not isinstance(value, Mapping) or not {"ko", "en"} <= set(value):
            raise self.error(f"{key} {value!r} of {default}", '{"ko": …, "en": …}')
        return Text(ko=str(value["ko"]), en=str(value["en"]))

    def bounds(self, source: Mapping[str, object], key: str) -> Bounds | None:
        """Return an inclusive range, None where it is absent."""
        value = source.get(key)
        if value is None:
            return None
        numbers = (int, float, type(None))
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, numbers) for v in value):
            raise self.error(f"{key} {value!r} of {source.get('name')}", "[low, high], null for an open end")
        low, high = (None if v is None else float(v) for v in value)
        if low is not None and high is not None and low > high:
            raise self.error(f"{key} {value!r} of {source.get('name')}", "low ≤ high")
        return Bounds(low, high)

    def strings(self, source: Mapping[str, object], key: str) -> tuple[str, ...] | None:
        """Return a list of texts, None where it is absent."""
        value = source.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(f"{key} {value!r} of {source.get('name') or source.get('id')}", "a list of texts")
        return tuple(value)
