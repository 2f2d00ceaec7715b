"""The `sojae` command: its own parts and those of the services, found by entry point, loaded when they are asked for."""

from importlib.metadata import EntryPoint, entry_points, version

import rich_click as click
from click import Command, Context

from sojae.cli.running import with_sentence

ENTRY_POINTS = "sojae.commands"


class EntryPointGroup(click.RichGroup):
    """A group whose commands are entry points: only the one that is called is imported, `--help` imports all."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of all commands that are installed."""
        return sorted({*super().list_commands(ctx), *_found()})

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Return the command of that name, or None."""
        found = _found().get(cmd_name)
        loaded = super().get_command(ctx, cmd_name) if found is None else found.load()
        return loaded if isinstance(loaded, Command) else None


@click.group(cls=EntryPointGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("sojae"), prog_name="sojae")
def sojae() -> None:
    """Takes materials data in, checks it, keeps it, learns from it, and answers which recipe gives which property.

    소재 데이터를 받아 검사하고 보관하며, 배운 것으로 어떤 배합이 어떤 물성을 주는지 답합니다.
    """


def _found() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=ENTRY_POINTS)}


def main() -> None:
    """Run the command; an error that a person must read is one sentence and an exit code."""
    with_sentence(lambda: sojae(standalone_mode=True))
