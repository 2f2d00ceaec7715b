"""The part of the `sojae` command that belongs to the gateway."""

import rich_click as click


@click.command("gateway")
def gateway() -> None:
    """Answer over HTTP: predictions, designs, records, templates, models. / 예측·설계·기록을 HTTP로 답합니다."""
    # Imported here, because it brings the web server and onnxruntime: `sojae --help` would take a second longer.
    from sojae_gateway.__main__ import main  # noqa: PLC0415

    main()


commands: list[click.Command] = [gateway]
