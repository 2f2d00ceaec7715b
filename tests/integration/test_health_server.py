"""Metrics and health of a process, on the address where they are asked for."""

import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from sojae.domain.errors import SettingsError
from sojae.settings import TelemetrySettings, read
from sojae.telemetry import HOST, HealthServer


def test_health_is_for_this_machine_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, and the server without one."""
    monkeypatch.delenv("SOJAE_TELEMETRY__HOST", raising=False)
    assert read(TelemetrySettings).host == HOST == "127.0.0.1"
    with HealthServer(CollectorRegistry(), lambda: True) as server:
        assert server.address == (HOST, server.port)


def test_health_is_served_on_the_host_that_is_given() -> None:
    """A probe of Kubernetes comes from outside of the pod."""
    with HealthServer(CollectorRegistry(), lambda: True, 0, "0.0.0.0") as server:
        assert server.address == ("0.0.0.0", server.port)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health/ready", timeout=5) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0:9600", "here"])
def test_another_kind_of_address_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """With the name of the setting, before a socket says something about name resolution."""
    monkeypatch.setenv("SOJAE_TELEMETRY__HOST", host)
    with pytest.raises(SettingsError, match="SOJAE_TELEMETRY__HOST"):
        read(TelemetrySettings)
