"""Where a broker can be reached, and whether it answers there."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from sojae.domain.errors import BrokerError
from sojae.home import BrokerKind
from sojae.settings import KafkaSettings

_ASK_SECONDS = 0.5


class Endpoint(msgspec.Struct, frozen=True):
    """A broker that answers: `run_id` names its data (see RunInfo), `kind` says what may be expected of it."""

    kind: BrokerKind
    bootstrap_servers: str
    run_id: str


def answering_cluster(
    bootstrap_servers: str,
    *,
    timeout_seconds: float,
    login: Mapping[str, str] | None = None,
    still_worth_it: Callable[[], bool] = lambda: True,
) -> str:
    """Return the id of the cluster that answers a metadata request at `bootstrap_servers` within `timeout_seconds`.

    `login` holds librdkafka's security properties. Asks again every half second as long as `still_worth_it` says so.
    Raises BrokerError when no answer came.
    """
    client = AdminClient(
        {
            "bootstrap.servers": bootstrap_servers,
            "log_level": 0,  # refused connections are expected here, and are no news on standard error
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 100,
            **(login or {}),
        }
    )
    deadline = time.monotonic() + timeout_seconds
    while still_worth_it() and time.monotonic() < deadline:
        try:
            metadata = client.list_topics(timeout=_ASK_SECONDS)
        except KafkaException:
            continue
        if metadata.cluster_id and metadata.brokers:
            return str(metadata.cluster_id)
        time.sleep(0.05)
    raise BrokerError(
        en=f"Kafka at {bootstrap_servers} cannot be reached or does not accept us. Check the address (and user and "
        "password, if it wants them).",
        ko=f"{bootstrap_servers}의 Kafka에 연결할 수 없거나 접속이 거부되었습니다. 주소를(필요하면 사용자와 비밀번호도) "
        "확인하십시오.",
    )


def login_properties(settings: KafkaSettings) -> dict[str, str]:
    """Return librdkafka's security properties for the settings. Raises BrokerError when the password cannot be read."""
    properties: dict[str, str] = {"security.protocol": settings.security_protocol}
    if settings.security_protocol.startswith("SASL"):
        properties |= {"sasl.mechanism": settings.sasl_mechanism, "sasl.username": settings.username or ""}
        properties["sasl.password"] = _password(settings.password_file)
    return properties


def _password(file: Path | None) -> str:
    try:
        return "" if file is None else file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise BrokerError(
            en=f"The password file {file} (SOJAE_KAFKA__PASSWORD_FILE) cannot be read.",
            ko=f"비밀번호 파일 {file}(SOJAE_KAFKA__PASSWORD_FILE)을 읽을 수 없습니다.",
        ) from exc
