"""The part of the `sojae` command that belongs to the monitor."""

import importlib

import rich_click as click


@click.command("monitor")
def monitor() -> None:
    """Follow plants live: windows, batches, alarms and forecasts. / 설비를 실시간으로 따라갑니다."""
    # Imported only here: Faust takes a while, and every `sojae` command would pay for it.
    importlib.import_module("sojae_monitor.__main__").main()


commands = [monitor]
