"""How to reach a broker: what every client of it is told, and the error when it cannot be reached."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from sojae.domain.errors import BrokerError

METADATA_MAX_AGE_MS = 5_000


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a broker, and who we are there; `run_id` is given for the mock only, which has no topic ids."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password_file: Path | None = None
    run_id: str | None = None

    def _password(self) -> str | None:
        return None if self.password_file is None else self.password_file.read_text(encoding="utf-8").strip()

    def for_aiokafka(self) -> dict[str, object]:
        """Return the arguments that every aiokafka client takes."""
        options: dict[str, object] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "metadata_max_age_ms": METADATA_MAX_AGE_MS,
        }
        if self.security_protocol.endswith("SSL"):
            # aiokafka makes none itself: the system's authorities, or those of SSL_CERT_FILE, sign; names are checked.
            options["ssl_context"] = ssl.create_default_context()
        if self.username is not None:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        return options

    def for_librdkafka(self) -> dict[str, str | int | float | bool]:
        """Return the configuration that every confluent-kafka client takes."""
        options: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "log_level": 0,
        }
        if self.username is not None:
            options |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.username,
                "sasl.password": self._password() or "",
            }
        return options


def broker_error(connection: Connection, error: Exception) -> BrokerError:
    """Return what to tell a person: a wrong password looks like an unreachable broker, so both are named."""
    return BrokerError(
        en=f"cannot reach, or not accepted by, the broker at {connection.bootstrap_servers}: {error}; "
        "start `sojae up`, or set SOJAE_KAFKA__BOOTSTRAP_SERVERS",
        ko=f"{connection.bootstrap_servers} 브로커에 연결할 수 없거나 거부되었습니다: {error}. "
        "`sojae up`을 실행하거나 SOJAE_KAFKA__BOOTSTRAP_SERVERS를 설정하십시오",
    )
