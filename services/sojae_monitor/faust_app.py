"""The Faust app: one agent over the telemetry topics, raw bytes, no web server, no tables; made by a function."""

import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import faust
from mode import CrashingSupervisor
from yarl import URL

from sojae.adapters.kafka_connection import Connection
from sojae_monitor.identifiers import named_id
from sojae_monitor.settings import MonitorSettings
from sojae_monitor.transport import PlacedTransport, Placing

Follow = Callable[[Any], Awaitable[None]]
"""Works on a stream for ever."""

SETTINGS: Mapping[str, Any] = {
    "key_serializer": "raw",
    "value_serializer": "raw",
    "web_enabled": False,  # the `faust worker` command would start it all the same; nothing here calls that
    "stream_wait_empty": False,  # a rebalance must not wait for us: what is worked on twice gives the same bytes
    "table_standby_replicas": 0,
    "topic_disable_leader": True,
    "topic_allow_declare": False,
    "cython_optimizations": True,
    "broker_commit_interval": 1.0,
    "broker_request_timeout": 310.0,  # Faust wants it above the session's
    "stream_buffer_maxsize": 8_192,
    "broker_max_poll_records": 2_000,
    "consumer_max_fetch_size": 4_194_304,
    "consumer_auto_offset_reset": "earliest",
    "consumer_metadata_max_age_ms": 5_000,
}


def build_app(
    connection: Connection,
    settings: MonitorSettings,
    instance: str,
    datadir: Path,
    transport: type[PlacedTransport] = PlacedTransport,
) -> faust.App:
    """Return an app that follows topics once `set_agent` has said who works; nothing is started.

    `instance` is its name in the group, under which it comes back at once after a crash.

    Faust makes `datadir`, and keeps nothing in it without tables.
    """
    app = faust.App(
        settings.group_id,
        broker=[URL(f"kafka://{server}") for server in connection.bootstrap_servers.split(",")],
        broker_credentials=credentials(connection),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=max(0.5, settings.session_timeout_seconds / 10),
        consumer_group_instance_id=instance,
        datadir=str(datadir),
        **SETTINGS,
    )
    app.finalize()
    app.transport = ours = transport(app.conf.broker_consumer, app)
    ours.connection = connection
    return app


def set_agent(app: faust.App, topics: Sequence[str], placing: Placing, follow: Follow) -> None:
    """Let `follow` work on the topics, with partitions placed by `placing`; an error of it ends the app."""
    cast("PlacedTransport", app.transport).placing = placing
    app.agent(
        app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"),
        name="sojae_monitor.follow",
        concurrency=1,
        supervisor_strategy=CrashingSupervisor,
    )(follow)


def credentials(connection: Connection) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return Faust's form of how we log in; None without encryption and log-in."""
    protocol = connection.security_protocol
    context = ssl.create_default_context() if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context=context)
    if protocol == "PLAINTEXT":
        return None
    known = connection.for_aiokafka()
    return faust.SASLCredentials(
        mechanism=connection.sasl_mechanism,
        username=cast("str | None", known.get("sasl_plain_username")),
        password=cast("str | None", known.get("sasl_plain_password")),
        ssl_context=context,
    )


def instance_of(settings: MonitorSettings, plants: Collection[str]) -> str:
    """Return the name of a worker in its group: the setting, else one that workers of other plants do not have."""
    return settings.instance_id or f"monitor-{named_id(*sorted(plants))[:8]}"
