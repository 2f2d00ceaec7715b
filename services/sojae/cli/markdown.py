"""Tables and pages in Markdown, for the generated part of docs/reference."""

from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `python -m sojae.cli.reference` (`make reference`); do not edit. -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a `|` inside a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def page(title: str, parts: Sequence[str]) -> str:
    """Return a page with the note that it is generated, its title and its parts, a blank line between them."""
    return "\n\n".join([NOTE, f"# {title}", *parts]) + "\n"
