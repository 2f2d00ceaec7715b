"""Logs, metrics and health of one process, set up once in its composition root."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

HOST = "127.0.0.1"
POLL_SECONDS = 0.1
"""How long a stop may wait for the server thread to notice."""

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

log = logging.getLogger(__name__)


def set_up_logging(level: str) -> None:
    """Send the logs of this process to stderr; libraries speak from warning on."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=FORMAT, force=True)
    for name in (
        "sojae",
        "sojae_ingest",
        "sojae_trainer",
        "sojae_gateway",
        "sojae_simulator",
        "sojae_local",
        "sojae_monitor",
    ):
        logging.getLogger(name).setLevel(level)


class HealthServer:
    """Serves /metrics and /health/{live,ready} from a thread of its own; without a `host`, to this machine only.

    `ready` is asked at each request; `/health/live` answers as long as the process does.
    """

    def __init__(self, registry: CollectorRegistry, ready: Callable[[], bool], port: int = 0, host: str = HOST) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(registry, ready))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="health", daemon=True
        )

    @property
    def address(self) -> tuple[str, int]:
        """The address and port that are served."""
        return str(self._server.server_address[0]), self.port

    @property
    def port(self) -> int:
        """The port that is served: the one asked for, or the system's choice."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        log.info("metrics and health on http://%s:%d", *self.address)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


def _handler(registry: CollectorRegistry, ready: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers the three paths, and nothing else."""

        def do_GET(self) -> None:
            """Answer one request."""
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif self.path == "/health/live":
                self._answer(200, "application/json", b'{"status":"live"}')
            elif self.path == "/health/ready":
                good = ready()
                body = json.dumps({"status": "ready" if good else "not ready"}).encode()
                self._answer(200 if good else 503, "application/json", body)
            else:
                self._answer(404, "application/json", b'{"status":"unknown path"}')

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            log.debug(format, *args)

    return Handler
