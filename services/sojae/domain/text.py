"""A message for people, in Korean and English."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["ko", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages; every message that a user may see is one of these."""

    ko: str
    en: str

    def __getitem__(self, language: Language) -> str:
        return self.ko if language == "ko" else self.en

    def format(self, **values: object) -> "Text":
        """Return the text with its `{placeholders}` filled in both languages; a text among the values is taken in each."""
        in_korean = {name: value.ko if isinstance(value, Text) else value for name, value in values.items()}
        in_english = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
        return Text(ko=self.ko.format(**in_korean), en=self.en.format(**in_english))
