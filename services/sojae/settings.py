"""Settings: groups of values from SOJAE_* names in the environment; every name is known, or refused at start."""

import difflib
import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sojae.domain.errors import SettingsError
from sojae.domain.text import Text
from sojae.lifeline import KNOWN_INTERNAL

PREFIX = "SOJAE_"
ENTRY_POINTS = "sojae.settings"


def group(prefix: str) -> SettingsConfigDict:
    """Return the configuration of a settings group: frozen, no unknown keys, numbers finite, names begin with the prefix."""
    return SettingsConfigDict(
        env_prefix=prefix, frozen=True, extra="forbid", env_ignore_empty=True, allow_inf_nan=False
    )


class GeneralSettings(BaseSettings):
    """What every process needs to know."""

    model_config = group(PREFIX)

    home: Path | None = Field(None, description="State folder; in a checkout ./.sojae, else the user's data folder.")
    language: Literal["ko", "en"] = Field("en", description="Language of messages for people.")


class KafkaSettings(BaseSettings):
    """How to reach Kafka."""

    model_config = group("SOJAE_KAFKA__")

    bootstrap_servers: str | None = Field(
        None, description="Broker addresses host:port, separated by commas; unset = the broker of `sojae up`."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Protocol of the connection."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="Mechanism of the log-in; used with a SASL protocol only."
    )
    username: str | None = Field(None, description="User of the log-in.")
    password_file: Path | None = Field(None, description="File that holds the password, and nothing else.")


class StoreSettings(BaseSettings):
    """Where the Delta tables and the model shelf lie."""

    model_config = group("SOJAE_STORE__")

    uri: str | None = Field(
        None, description="Root of the store: a folder or an object-store URI; unset = SOJAE_HOME/store."
    )


class TemplatesSettings(BaseSettings):
    """Where templates are looked for, before the package's own."""

    model_config = group("SOJAE_TEMPLATES__")

    path: Path | None = Field(None, description="Folder laid out like schemas/avro; read again every 5 s.")


class PlantsSettings(BaseSettings):
    """Which plants there are."""

    model_config = group("SOJAE_PLANTS__")

    path: Path | None = Field(None, description="Folder of plant files, <plant>.toml; unset = no plants.")


class TelemetrySettings(BaseSettings):
    """Logs, metrics and health of one process."""

    model_config = group("SOJAE_TELEMETRY__")

    host: str = Field(
        "127.0.0.1",
        pattern=r"^\d{1,3}(\.\d{1,3}){3}$",
        description="IPv4 address of /metrics and /health; 0.0.0.0 where probes come from outside.",
    )
    port: int = Field(0, ge=0, le=65535, description="Port of /metrics and /health; 0 = asked from the system.")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log level written.")


CORE_GROUPS: tuple[type[BaseSettings], ...] = (
    GeneralSettings,
    KafkaSettings,
    StoreSettings,
    TemplatesSettings,
    PlantsSettings,
    TelemetrySettings,
)

G = TypeVar("G", bound=BaseSettings)


def read(settings: type[G]) -> G:
    """Return a settings group read from the environment; raises SettingsError naming the variable and what it should be."""
    try:
        return settings()
    except ValidationError as error:
        first = error.errors()[0]
        prefix = str(settings.model_config.get("env_prefix", ""))
        name = f"{prefix}{first['loc'][0]}".upper() if first["loc"] else f"{prefix}*".upper()
        got, why = first.get("input"), _why(first["type"], first.get("ctx") or {}, first["msg"])
        raise SettingsError(
            en=f"{name}={got!r}: {why.en}; correct or unset it",
            ko=f"{name}={got!r}: {why.ko}. 고치거나 지우십시오",
        ) from error


_WHY: Mapping[str, Text] = {
    "int_parsing": Text(ko="정수여야 합니다", en="a whole number is needed"),
    "float_parsing": Text(ko="수여야 합니다", en="a number is needed"),
    "finite_number": Text(ko="유한한 수여야 합니다", en="a finite number is needed"),
    "bool_parsing": Text(ko="true나 false여야 합니다", en="true or false is needed"),
    "literal_error": Text(ko="{expected} 가운데 하나여야 합니다", en="one of {expected} is needed"),
    "greater_than_equal": Text(ko="{ge} 이상이어야 합니다", en="at least {ge} is needed"),
    "greater_than": Text(ko="{gt}보다 커야 합니다", en="more than {gt} is needed"),
    "less_than_equal": Text(ko="{le} 이하여야 합니다", en="at most {le} is needed"),
    "less_than": Text(ko="{lt}보다 작아야 합니다", en="less than {lt} is needed"),
    "string_pattern_mismatch": Text(ko="{pattern} 형식이어야 합니다", en="the form {pattern} is needed"),
    "value_error": Text(ko="올바르지 않은 값입니다({error})", en="{error}"),
}
"""What a validation says, by its type; the library's own words for the rest."""


def _why(kind: str, context: Mapping[str, object], message: str) -> Text:
    if kind in _WHY:
        return _WHY[kind].format(**{**context, "expected": str(context.get("expected", "")).replace("' or '", "', '")})
    return Text(ko=f"올바르지 않은 값입니다({message})", en=message)


def read_all() -> None:
    """Read every group there is, the services' included; raises SettingsError for the first value that is wrong."""
    for settings in groups():
        read(settings)


@cache
def groups() -> tuple[type[BaseSettings], ...]:
    """Return every settings group: the core's, and the services' found by entry point."""
    return CORE_GROUPS + tuple(found.load() for found in sorted(entry_points(group=ENTRY_POINTS), key=lambda e: e.name))


def known_names() -> frozenset[str]:
    """Return every SOJAE_* name that means something."""
    names = {
        f"{settings.model_config.get('env_prefix', '')}{field}".upper()
        for settings in groups()
        for field in settings.model_fields
    }
    return frozenset(names) | KNOWN_INTERNAL


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Return when every SOJAE_* name is known; raises SettingsError with the nearest known name otherwise."""
    known = known_names()
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint_en = f"; did you mean {near[0]}?" if near else "; `sojae settings` lists the known ones"
            hint_ko = f". {near[0]} 아닙니까?" if near else ". `sojae settings`가 목록을 보여 줍니다"
            raise SettingsError(en=f"unknown setting {name}{hint_en}", ko=f"알 수 없는 설정 {name}{hint_ko}")
