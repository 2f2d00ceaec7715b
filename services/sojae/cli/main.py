"""The `sojae` command: its own parts and those of the services, found by entry point, loaded when they are asked for."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version

import rich_click as click
from click import Command, Context

from sojae.cli.running import with_sentence
from sojae.domain.errors import CommandError
from sojae.domain.spelling import near
from sojae.settings import GeneralSettings, read

ENTRY_POINTS = "sojae.commands"


class EntryPointGroup(click.RichGroup):
    """A group whose commands are entry points: only the one that is called is imported, `--help` imports all."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of all commands that are installed."""
        return sorted({*super().list_commands(ctx), *_found()})

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the command that the arguments name; an unknown one is refused with the nearest that there is."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise _unknown(args[0], known)
        return super().resolve_command(ctx, args)

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
    read(GeneralSettings)


def _unknown(name: str, known: Sequence[str]) -> CommandError:
    close = near(name, known)
    if close:
        return CommandError(
            en=f"no command {name!r}; did you mean {close[0]}?", ko=f"{name!r} 명령이 없습니다. {close[0]} 아닙니까?"
        )
    return CommandError(
        en=f"no command {name!r}; `sojae --help` lists them",
        ko=f"{name!r} 명령이 없습니다. `sojae --help`가 목록을 보여 줍니다",
    )


def _found() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=ENTRY_POINTS)}


def main() -> None:
    """Run the command; an error that a person must read is one sentence and an exit code."""
    with_sentence(lambda: sojae(standalone_mode=True))
