"""Settings: every SOJAE_* name is known or refused, and a wrong value names its variable."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sojae.domain.errors import SettingsError
from sojae.settings import (
    GeneralSettings,
    KafkaSettings,
    StoreSettings,
    TelemetrySettings,
    check_environment,
    groups,
    known_names,
    read,
    read_all,
)


def test_settings_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any environment the groups can be read."""
    monkeypatch.delenv("SOJAE_HOME", raising=False)
    assert read(GeneralSettings) == GeneralSettings(home=None, language="en")
    assert read(TelemetrySettings).port == 0


def test_a_value_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group's prefix and a field's name make the variable."""
    monkeypatch.setenv("SOJAE_STORE__URI", "s3://bucket/store")
    monkeypatch.setenv("SOJAE_HOME", "/somewhere")
    assert read(StoreSettings).uri == "s3://bucket/store"
    assert read(GeneralSettings).home == Path("/somewhere")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SOJAE_STORE__URI=` is what a shell script writes for `no value`."""
    monkeypatch.setenv("SOJAE_STORE__URI", "")
    assert read(StoreSettings).uri is None


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_wrong_value_names_its_variable_and_is_shown(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    """Who mistyped a value reads its name, what was got and what to do, in both languages."""
    monkeypatch.setenv("SOJAE_TELEMETRY__PORT", port)
    with pytest.raises(SettingsError, match=rf"SOJAE_TELEMETRY__PORT='{port}'.*correct or unset") as refused:
        read(TelemetrySettings)
    assert "SOJAE_TELEMETRY__PORT" in refused.value.text.ko
    assert refused.value.exit_code == 2


def test_the_largest_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are inclusive."""
    monkeypatch.setenv("SOJAE_TELEMETRY__PORT", "65535")
    assert read(TelemetrySettings).port == 65535


def test_groups_do_not_change_after_reading() -> None:
    """A settings group is a value."""
    with pytest.raises(ValidationError, match="frozen"):
        read(KafkaSettings).username = "somebody"


def test_a_mistyped_name_is_refused_with_the_nearest_one() -> None:
    """Libraries would not see a wrong name: it would silently have no effect."""
    with pytest.raises(
        SettingsError, match="SOJAE_KAFKA__BOOTSTRAP_SERVER; did you mean SOJAE_KAFKA__BOOTSTRAP_SERVERS"
    ):
        check_environment({"SOJAE_KAFKA__BOOTSTRAP_SERVER": "localhost:9092"})


def test_a_name_like_nothing_points_to_the_list() -> None:
    """Without a near name the message says where the names stand."""
    with pytest.raises(SettingsError, match="unknown setting SOJAE_QQQQQQQQQQ; `sojae settings`"):
        check_environment({"SOJAE_QQQQQQQQQQ": "1"})


def test_known_and_foreign_names_pass() -> None:
    """Only SOJAE_* names are looked at; the launcher's own name is known."""
    known = dict.fromkeys(known_names(), "x")
    check_environment({**known, "PATH": "/bin", "SOJA": "x", "OTHER_SOJAE_X": "x", "SOJAE_LIFELINE_FD": "3"})


def test_the_groups_of_the_services_are_found() -> None:
    """Services bring their settings by entry point, so that their names are known to every process."""
    prefixes = {g.model_config.get("env_prefix") for g in groups()}
    assert {"SOJAE_", "SOJAE_KAFKA__", "SOJAE_INGEST__"} <= prefixes


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SOJAE_TELEMETRY__PORT", "x", "정수"),
        ("SOJAE_TELEMETRY__PORT", "-1", "0 이상"),
        ("SOJAE_LANGUAGE", "de", "'ko', 'en'"),
        ("SOJAE_SIMULATOR__ONCE", "maybe", "true나 false"),
        ("SOJAE_TRAINER__POLL_SECONDS", "inf", "유한한 수"),
        ("SOJAE_GATEWAY__REACHABLE_PROBABILITY", "nan", "유한한 수"),
    ],
)
def test_a_wrong_value_is_explained_in_korean(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """Of any group, the services' included; no word of the library that found it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        read_all()
    assert f"{name}='{value}'" in refused.value.text.ko
    assert said in refused.value.text.ko
    assert "nput should" not in refused.value.text.ko + refused.value.text.en


def test_sound_settings_are_read_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """All groups have defaults."""
    read_all()
    assert capsys.readouterr() == ("", "")
