"""The `sojae` command itself: what it does with a name that it does not know."""

import pytest
from click.testing import CliRunner

from sojae.cli.main import sojae
from sojae.domain.errors import CommandError, SettingsError


@pytest.mark.parametrize(("typed", "meant"), [("imprt", "import"), ("setings", "settings"), ("simulat", "simulate")])
def test_a_mistyped_command_is_refused_with_the_nearest(typed: str, meant: str) -> None:
    """As settings, fields and projects are."""
    error = CliRunner().invoke(sojae, [typed]).exception
    assert isinstance(error, CommandError)
    assert (error.exit_code, f"did you mean {meant}?" in error.text.en, meant in error.text.ko) == (2, True, True)


def test_a_command_like_nothing_points_to_the_list() -> None:
    """Without a near name the message says where the names stand."""
    error = CliRunner().invoke(sojae, ["zzzzzz"]).exception
    assert isinstance(error, CommandError)
    assert "--help" in error.text.en


def test_a_language_that_nobody_speaks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every command, before it begins."""
    monkeypatch.setenv("SOJAE_LANGUAGE", "de")
    assert isinstance(CliRunner().invoke(sojae, ["settings"]).exception, SettingsError)


def test_a_mistyped_setting_is_named_below_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is what one needs to see the slip."""
    monkeypatch.setenv("SOJAE_GATEWY__PORT", "1")
    done = CliRunner().invoke(sojae, ["settings"])
    assert "SOJAE_HOME" in done.stdout
    assert isinstance(done.exception, SettingsError)
