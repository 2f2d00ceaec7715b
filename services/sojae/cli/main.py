"""The `sojae` command: its own parts and those of the services, found by entry point."""

from importlib.metadata import entry_points, version

import rich_click as click

from sojae.cli.import_file import import_file
from sojae.cli.running import with_sentence
from sojae.cli.settings_list import settings_list

ENTRY_POINTS = "sojae.commands"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("sojae"), prog_name="sojae")
def sojae() -> None:
    """Takes materials data in, checks it, keeps it, learns from it, and answers which recipe gives which property.

    소재 데이터를 받아 검사하고 보관하며, 배운 것으로 어떤 배합이 어떤 물성을 주는지 답합니다.
    """


def build() -> click.Group:
    """Return the command with every part that is installed."""
    sojae.add_command(import_file)
    sojae.add_command(settings_list)
    for found in sorted(entry_points(group=ENTRY_POINTS), key=lambda e: e.name):
        for command in found.load():
            sojae.add_command(command)
    return sojae


def main() -> None:
    """Run the command; an error that a person must read is one sentence and an exit code."""
    with_sentence(lambda: build()(standalone_mode=True))
