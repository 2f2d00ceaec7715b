"""Reading a design: one flat mapping of columns, with the law's defaults where it says nothing."""

from collections.abc import Mapping

Design = Mapping[str, object]


def word(design: Design, defaults: Design, column: str) -> str:
    """Return the text of a column, the default where it is absent or None; raises KeyError without either."""
    value = design.get(column)
    return str(defaults[column] if value is None else value)


def number(design: Design, defaults: Design, column: str) -> float:
    """Return the number of a column in its field's unit, the default where it is absent or None.

    Raises KeyError without either and ValueError for what is no number.
    """
    return float(word(design, defaults, column))
