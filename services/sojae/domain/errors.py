"""Every error that Sojae raises on purpose, as one tree.

SojaeError                     something a person must read; the process ends with its exit code
├── UserInputError (2)         what the user gave is wrong: file, row, column, value and remedy are in the text
│   ├── TemplateError          a template file is broken or unknown
│   ├── QuantityError          a unit or a number cannot be read or converted
│   ├── FormulaError           a chemical formula cannot be read
│   ├── MappingError           a mapping file names what does not exist
│   ├── PlantError             a plant file is broken, or names what does not exist
│   ├── SpreadsheetError       a data file is empty, lacks a column or cannot be read
│   ├── SettingsError          an unknown or invalid SOJAE_* setting
│   └── CommandError           a command that does not exist, or is not to be run like this
├── BrokerError (1)            Kafka cannot be reached, or does not accept us
├── StoreError (1)             the store cannot be read or written
│   └── CommitRefused          another writer has moved on: read the position again, then retry
├── StateError (1)             SOJAE_HOME is broken, foreign or in use
├── ModelError (1)             a model file is broken or does not agree with its estimator
└── ServiceError (1)           a process did not start, or died too often
"""

from sojae.domain.text import Language, Text


class SojaeError(Exception):
    """An error that a person must read, in Korean and English; `exit_code` is the process's."""

    exit_code = 1

    def __init__(self, en: str, ko: str) -> None:
        super().__init__(en)
        self.text = Text(ko=ko, en=en)

    def message(self, language: Language = "en") -> str:
        """Return the message in the language asked for."""
        return self.text[language]


class UserInputError(SojaeError):
    """What the user gave is wrong; nothing has been done."""

    exit_code = 2


class TemplateError(UserInputError):
    """A template file is broken, or a template is unknown."""


class QuantityError(UserInputError):
    """A unit or a number cannot be read, or the two do not go together."""


class FormulaError(UserInputError):
    """A chemical formula cannot be read."""


class MappingError(UserInputError):
    """A mapping file is broken, or names a field, a unit or a template that does not exist."""


class PlantError(UserInputError):
    """A plant file is broken, or names a field, a unit or a template that does not exist."""


class SpreadsheetError(UserInputError):
    """A data file is empty, lacks a column, or cannot be read."""


class SettingsError(UserInputError):
    """A SOJAE_* name in the environment is unknown, or its value is invalid."""


class CommandError(UserInputError):
    """A command does not exist, or is not to be run without being asked."""


class BrokerError(SojaeError):
    """Kafka cannot be reached, or does not accept us."""


class StoreError(SojaeError):
    """The store cannot be read or written."""


class CommitRefused(StoreError):  # noqa: N818 - a refusal is an answer of the store, not a fault of ours
    """Another writer has moved the positions on: read them again and retry."""


class StateError(SojaeError):
    """The state folder is broken, belongs to something else, or is in use."""


class ModelError(SojaeError):
    """A model file is broken, or its graph does not agree with its estimator."""


class ServiceError(SojaeError):
    """A process did not start, or died too often."""
