"""The broker's and the launcher's part of the `sojae` command."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import msgspec
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sojae.cli.running import language
from sojae.domain.errors import CommandError
from sojae.domain.text import Text
from sojae.home import Home, find_home, replace_file
from sojae.settings import KafkaSettings, PlantsSettings, TelemetrySettings, check_environment, read
from sojae.telemetry import HealthServer
from sojae_local.fresh import forget
from sojae_local.fresh import going as what_goes
from sojae_local.jars import KAFKA_VERSION
from sojae_local.jars import Progress as FetchProgress
from sojae_local.preflight import check_before_start
from sojae_local.running_broker import announced, describe, given_endpoint, held_broker, kafka_processes
from sojae_local.services import services_for, simulated_plants
from sojae_local.tour import guided_tour
from sojae_local.up import GatewayAddress, Plan, show_address
from sojae_local.up import up as run_everything


@click.command()
@click.option("--mock", is_flag=True, help="Use the in-memory mock broker; nothing that is sent to it is kept.")
@click.option(
    "--endpoint-file",
    type=click.Path(dir_okay=False, path_type=Path),
    hidden=True,
    help="Say where the broker answers in this file, for a launcher, instead of in run.json.",
)
def broker(mock: bool, endpoint_file: Path | None) -> None:
    """Run a Kafka for development until Ctrl-C; its data are kept.

    개발용 Kafka를 Ctrl-C까지 실행합니다. 자료는 남습니다.
    """
    check_environment()
    home = find_home()
    given = None if endpoint_file else given_endpoint(read(KafkaSettings))
    if given is not None:
        _say(describe(given))
        _say(
            Text(
                en="SOJAE_KAFKA__BOOTSTRAP_SERVERS is set, so that one is used and nothing was started.",
                ko="SOJAE_KAFKA__BOOTSTRAP_SERVERS가 지정되어 있어 그 Kafka를 쓰며, 새로 시작한 것은 없습니다.",
            )
        )
        return
    with _until_interrupted():
        _hold(home, endpoint_file, mock=mock)


@click.command()
@click.option("--tour-only", is_flag=True, help="End after the tour, with its exit code.")
@click.option("--no-simulator", is_flag=True, help="Your own data only: no simulated laboratories, and no tour.")
def up(tour_only: bool, no_simulator: bool) -> None:
    """Run everything on this machine: broker, ingest, monitor, trainer, gateway and simulator.

    이 컴퓨터에서 모든 것을 실행합니다.
    """
    check_before_start()
    gateway, plants = read(GatewayAddress), read(PlantsSettings).path
    if plants is None and not no_simulator:
        plants = simulated_plants()
    plan = Plan(
        kafka=read(KafkaSettings),
        gateway_port=gateway.port,
        services=services_for(simulator=not no_simulator, plants=plants),
        plants=plants,
        tour=show_address if no_simulator or gateway.open else partial(guided_tour, json_line=tour_only),
        tour_only=tour_only,
    )
    with _fetch_bar() as progress:
        code = run_everything(find_home(), plan, _say, progress)
    raise SystemExit(code)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def fresh(yes: bool) -> None:
    """Forget the state of this home: the broker's data, store, models, index and logs; asks first.

    브로커 자료, 저장소, 모델, 색인, 로그를 물어본 뒤 지웁니다.
    """
    check_environment()
    home = find_home()
    going = what_goes(home)
    if going is not None and not yes and not _confirmed(going.sentence()):
        _say(Text(en="Nothing was removed.", ko="지우지 않았습니다."))
        raise SystemExit(1)
    _say(forget(home))


commands: list[click.Command] = [broker, fresh, up]


def _confirmed(what: Text) -> bool:
    """Return whether the person at the terminal says yes; raises CommandError when there is none."""
    if not _is_terminal():
        raise CommandError(
            en=f"{what.en} There is no terminal to ask on, so nothing was removed: add --yes if you mean it.",
            ko=f"{what.ko} 물어볼 터미널이 없어 지우지 않았습니다. 정말 지우려면 --yes를 붙이십시오.",
        )
    question = Text(en="Remove it?", ko="지울까요?")
    return click.confirm(f"{what[language()]}\n{question[language()]}")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _hold(home: Home, endpoint_file: Path | None, *, mock: bool) -> None:
    with _fetch_bar() as progress, held_broker(home, _say, mock=mock, progress=progress) as (held, endpoint):
        _say(describe(endpoint))
        telemetry = read(TelemetrySettings)
        with HealthServer(CollectorRegistry(), lambda: True, telemetry.port, telemetry.host):
            if endpoint_file is None:
                with announced(home, endpoint, launcher="broker", processes=kafka_processes(held)):
                    held.wait()
                return
            replace_file(endpoint_file, msgspec.json.encode(endpoint))
            held.wait()


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """Turn SIGTERM, SIGINT and a closed terminal into the end of the block, whose clean-up still runs."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signum != signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(signum, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return


@contextmanager
def _fetch_bar() -> Iterator[FetchProgress]:
    """Return a progress callback that shows a bar once there is something to fetch, and takes it away at the end."""
    columns = (TextColumn(f"Apache Kafka {KAFKA_VERSION}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("fetch", total=None)

    def show(at_hand: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=at_hand, total=total)
        if at_hand == total:
            bar.stop()

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


def _say(text: Text) -> None:
    click.echo(text[language()])
