"""`sojae template`: what is done with standard templates; each command is loaded when it is asked for."""

from collections.abc import Mapping
from importlib import import_module

import rich_click as click
from click import Command, Context

COMMANDS: Mapping[str, str] = {
    "backtest": "template_backtest:backtest",
    "check": "template_check:check",
    "columns": "template_artefacts:columns",
    "csv": "template_workbook:csv_file",
    "docs": "template_artefacts:docs",
    "draft": "template_draft:draft",
    "form": "template_artefacts:form",
    "json-schema": "template_artefacts:json_schema",
    "list": "template_check:list_templates",
    "publish": "template_check:publish",
    "workbook": "template_workbook:workbook",
}
"""Command → `<module>:<attribute>` of sojae.cli."""


class LazyGroup(click.RichGroup):
    """A group that imports only the command that is called; `--help` imports all."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Return the command of that name, or None."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(import_module(f"sojae.cli.{module}"), name)
        assert isinstance(found, Command)
        return found


@click.group(cls=LazyGroup)
def template() -> None:
    """Check, publish, back-test and draft templates, and make workbooks, forms and documentation from them.

    표준 템플릿을 검사하고 발행하며, 엑셀 양식·입력 양식·문서를 만들고, 자료에서 초안을 만듭니다.
    """
