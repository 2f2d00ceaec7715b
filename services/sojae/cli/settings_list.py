"""`sojae settings`: every setting, its default and what it means."""

import rich_click as click
from rich.console import Console
from rich.table import Table

from sojae.settings import check_environment, groups


@click.command("settings")
def settings_list() -> None:
    """List every setting, its default and what it means; a name in the environment that is none is refused.

    모든 설정을 보여 줍니다.
    """
    table = Table("name", "default", "meaning", box=None, pad_edge=False)
    for name, default, meaning in setting_rows():
        table.add_row(name, default, meaning)
    Console().print(table)
    check_environment()


def setting_rows() -> list[tuple[str, str, str]]:
    """Return (name, default, meaning) of every setting, in the order of the groups."""
    return [
        (
            f"{settings.model_config.get('env_prefix', '')}{name}".upper(),
            "" if field.default is None else str(field.default),
            field.description or "",
        )
        for settings in groups()
        for name, field in settings.model_fields.items()
    ]
