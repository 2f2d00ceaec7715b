"""What `sojae up` reads before anything starts: every setting, the templates, the plants and the place of the store."""

from sojae.adapters.plant_files import load_plants
from sojae.adapters.shelf import open_store
from sojae.adapters.template_files import load_templates
from sojae.domain.errors import SettingsError, StoreError
from sojae.settings import (
    PlantsSettings,
    StoreSettings,
    TelemetrySettings,
    TemplatesSettings,
    check_environment,
    read,
    read_all,
)
from sojae_local.free_ports import LOOPBACK

STORE_URI = "SOJAE_STORE__URI"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared with, not listened on


def check_before_start() -> None:
    """Return when all services can read what the environment says; nothing has been started by then.

    A store in a folder is made. Raises SettingsError for an unknown name, a wrong value, a store that cannot be or health
    that cannot be asked for on the loopback address, and TemplateError or PlantError for a broken file: a service would
    find the same, one by one, after the broker has started.
    """
    check_environment()
    read_all()
    _check_health(read(TelemetrySettings).host)
    book, plants = load_templates(read(TemplatesSettings).path), read(PlantsSettings).path
    if plants is not None:
        load_plants(plants, book)
    uri = read(StoreSettings).uri
    if uri is not None:
        _check_store(uri)


def _check_health(host: str) -> None:
    if host not in (LOOPBACK, EVERYWHERE):
        # The launcher asks on the loopback address: no process would ever be ready.
        raise SettingsError(
            en=f"SOJAE_TELEMETRY__HOST={host}: `sojae up` asks for the health of its processes on {LOOPBACK}; unset it, or "
            f"use {EVERYWHERE}",
            ko=f"SOJAE_TELEMETRY__HOST={host}: `sojae up`은 {LOOPBACK}에서 프로세스의 상태를 묻습니다. 지우거나 {EVERYWHERE}으로 "
            "하십시오",
        )


def _check_store(uri: str) -> None:
    try:
        open_store(uri)
    except StoreError as error:
        raise SettingsError(
            en=f"{STORE_URI}={uri!r}: the store cannot be made there ({_cause(error)}); name a folder that you may write, "
            "or an object-store URI",
            ko=f"{STORE_URI}={uri!r}: 그곳에 저장소를 만들 수 없습니다({_cause(error)}). 쓸 수 있는 폴더나 객체 저장소 "
            "URI를 지정하십시오",
        ) from error


def _cause(error: StoreError) -> str:
    """Return the first line of what the system or the library said."""
    return str(error.__cause__ or error).splitlines()[0]
