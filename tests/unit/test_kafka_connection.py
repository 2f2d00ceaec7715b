"""How a broker is reached: what clients are told of protocol and log-in."""

import ssl
from pathlib import Path

import pytest

from sojae.adapters.kafka_connection import Connection


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_a_protocol_with_tls_checks_who_answers(protocol: str) -> None:
    """aiokafka refuses such a protocol without a context, and a context that checks nothing would be worse."""
    context = Connection("kafka:9093", security_protocol=protocol).for_aiokafka()["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_a_protocol_without_tls_has_no_context(protocol: str) -> None:
    """Nothing is read that is not needed."""
    assert "ssl_context" not in Connection("kafka:9092", security_protocol=protocol).for_aiokafka()


def test_both_clients_log_in_with_the_password_of_the_file(tmp_path: Path) -> None:
    """Whatever line end the file has."""
    (tmp_path / "password").write_text("word\n", encoding="utf-8")
    connection = Connection("kafka:9092", "SASL_PLAINTEXT", "PLAIN", "me", tmp_path / "password")
    one, other = connection.for_aiokafka(), connection.for_librdkafka()
    assert (one["sasl_plain_username"], one["sasl_plain_password"], one["sasl_mechanism"]) == ("me", "word", "PLAIN")
    assert (other["sasl.username"], other["sasl.password"], other["sasl.mechanism"]) == ("me", "word", "PLAIN")
