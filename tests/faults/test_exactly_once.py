"""Exactly once, on a real broker, under leaves, joins, frozen processes and kills; two controls that must fail.

The short form plays one schedule of half a minute; `make test-faults` plays longer ones. The controls are judged as soon
as the store is wrong beyond repair, so they take no longer than they need.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sojae.home import Home
from sojae_local.endpoint import Endpoint
from tests.faults.oracle import Verdict, already_broken, holes_and_surplus, judge_store, untold
from tests.faults.scenario import Plan, Sinks, environment_of, load, play

SHORT = Plan(seconds=24, events=9_000, rate=500, session_seconds=2.0, stops=3, kills=5, kills_before_kafka_commit=2)
LONG = Plan(seconds=90, events=70_000, rate=800, session_seconds=6.0, stops=3, kills=5, kills_before_kafka_commit=2)
SETTLE_SECONDS = 45.0
INSTITUTE = "sim-faults"
PLAIN = ("-m", "sojae_simulator.load")
TRANSACTIONS = (str(Path(__file__).parent / "transactional_load.py"),)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def _run(plan: Plan, variant: str, home: Home, endpoint: Endpoint, seed: int, sender: Sequence[str] = PLAIN) -> Verdict:
    """Play the schedule with one kind of sink and return what the store says in the end."""
    environment, acks = environment_of(home, endpoint, plan), home.path / "acks.jsonl"
    command = [sys.executable, *sender, "--institute", INSTITUTE, "--count", str(plan.events)]
    command += ["--rate", str(plan.rate), "--seed", str(seed), "--record", str(acks)]
    sinks = Sinks(variant, environment, home.logs)
    control = variant != "sound"
    try:
        with load(command, environment, home.logs / "load.log") as sending:
            sinks.start("a")
            sinks.start("b")
            _await_flow(home, acks, sinks)
            for line in play(plan, sinks, home, seed, lambda: control and already_broken(home.store, acks)):
                print(line)  # noqa: T201 - shown by pytest when the test fails
            if control and already_broken(home.store, acks):
                return judge_store(home.store, acks)
            assert sending.wait(timeout=plan.events / plan.rate + 60) == 0, "the load must end by itself"
        return _settled(sinks, home, acks)
    finally:
        sinks.kill_all()


def _await_flow(home: Home, acks: Path, sinks: Sinks) -> None:
    """Return when events are sent and the first of them are stored: the schedule begins in the middle of the flow."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (acks.exists() and any((home.store / "events").glob("_delta_log/*1.json"))):
        assert time.monotonic() < deadline, "no events flow"
        sinks.tend(home)


def _settled(sinks: Sinks, home: Home, acks: Path) -> Verdict:
    """Return the verdict once everything acknowledged is stored and derived, or after a while as it is then."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        sinks.tend(home)
        if not sinks.running:
            sinks.start("a")
        verdict = judge_store(home.store, acks)
        if (verdict.lost == 0 and holes_and_surplus(home.store, acks) == (0, 0)) or time.monotonic() > deadline:
            return verdict
        time.sleep(0.5)


def test_nothing_is_lost_and_nothing_repeated(
    own_home: Home, own_broker: Endpoint, request: pytest.FixtureRequest
) -> None:
    """Every acknowledged event is stored once, in the ledger without holes, once in the records, and its outcome is told."""
    verdict = _run(SHORT, "sound", own_home, own_broker, request.config.getoption("--seed"))
    _assert_sound(verdict, SHORT, own_home, own_broker)


def _assert_sound(verdict: Verdict, plan: Plan, home: Home, endpoint: Endpoint) -> None:
    assert verdict == Verdict(acknowledged=plan.events, stored=plan.events, lost=0, repeated=0, altered=0)
    assert holes_and_surplus(home.store, home.path / "acks.jsonl") == (0, 0)
    assert untold(home.store, endpoint.bootstrap_servers, INSTITUTE) == 0


@pytest.mark.parametrize("control", ["faulty", "by-path"])
def test_the_controls_fail_the_same_schedule(
    control: str, own_home: Home, own_broker: Endpoint, request: pytest.FixtureRequest
) -> None:
    """A sink without the position rules, and one that writes by path, are seen to lose or repeat."""
    verdict = _run(SHORT, control, own_home, own_broker, request.config.getoption("--seed"))
    assert verdict.lost + verdict.repeated > 0, verdict


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [3, 4, 5, 6])
def test_long_schedules_lose_and_repeat_nothing(seed: int, own_home: Home, own_broker: Endpoint) -> None:
    """The same with a session of 6 s, over a minute and a half, for several seeds."""
    verdict = _run(LONG, "sound", own_home, own_broker, seed)
    _assert_sound(verdict, LONG, own_home, own_broker)


@pytest.mark.faults
def test_offsets_with_holes_lose_and_repeat_nothing(own_home: Home, own_broker: Endpoint) -> None:
    """Events that came in transactions, some of them aborted: markers and what was aborted are offsets of nobody."""
    verdict = _run(SHORT, "sound", own_home, own_broker, 4, TRANSACTIONS)
    _assert_sound(verdict, SHORT, own_home, own_broker)


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [3, 4, 5, 6])
@pytest.mark.parametrize("control", ["faulty", "by-path"])
def test_long_schedules_catch_the_controls(control: str, seed: int, own_home: Home, own_broker: Endpoint) -> None:
    """Every seed of the long schedules catches both controls."""
    verdict = _run(LONG, control, own_home, own_broker, seed)
    assert verdict.lost + verdict.repeated > 0, verdict
