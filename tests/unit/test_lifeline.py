"""The pipe that tells a child of its launcher's end."""

import os
import threading

import pytest

from sojae.domain.errors import SettingsError
from sojae.lifeline import FD_VARIABLE, KNOWN_INTERNAL, Lifeline, watch


def test_without_a_launcher_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service started by hand has no lifeline."""
    monkeypatch.delenv(FD_VARIABLE, raising=False)
    assert watch() is False


def test_the_end_of_the_launcher_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the writing end closes, the call back is made; and the name has left the environment."""
    lifeline, told = Lifeline(), threading.Event()
    own = os.dup(lifeline.child_fd)  # a child's copy
    monkeypatch.setenv(FD_VARIABLE, str(own))
    try:
        assert watch(told.set) is True
        assert FD_VARIABLE not in os.environ
        assert not told.is_set()
        lifeline.close()
        assert told.wait(5)
    finally:
        os.close(own)


@pytest.mark.parametrize("value", ["", "three", "-1", "9999", "99999999999999999999"])
def test_a_number_that_is_no_pipe_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The name is not for people: a value that came from elsewhere is a plain error."""
    monkeypatch.setenv(FD_VARIABLE, value)
    with pytest.raises(SettingsError, match=FD_VARIABLE):
        watch()


def test_the_name_is_known_to_the_check_of_the_environment() -> None:
    """The launcher's own names must not be refused as mistyped settings."""
    assert set(Lifeline().environment) <= KNOWN_INTERNAL
