"""Identities of simulated messages, the loop that sends them, and truth.jsonl, with a producer that only remembers."""

import datetime as dt
import json
import uuid
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.header import identifier_issues, identity_issues
from sojae.topics import institute_of
from sojae_simulator.agent import Agent, Run
from sojae_simulator.app import build_run, topics_of
from sojae_simulator.identifiers import run_tag, uuid7
from sojae_simulator.laws import LAWS
from sojae_simulator.metrics import SimulatorMetrics
from sojae_simulator.publish import Writer
from sojae_simulator.settings import SimulatorSettings
from sojae_simulator.truth import TruthFile, next_epoch
from sojae_trainer.train import LEAST_ROWS
from tests.fakes import FakeProducer

NOW = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)
EPOCH = 1_782_898_200_000


class FakeClock:
    """A clock that stands still."""

    def now(self) -> dt.datetime:
        return NOW


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


def settings(**changes: object) -> SimulatorSettings:
    chosen: dict[str, object] = {"specimens": 60, "seed": 11, "burst_rate": 0.0, "once": True, "fault_scale": 2.0}
    chosen["projects"] = "high_entropy_alloy,ceramic_electrode"
    return SimulatorSettings(**(chosen | changes))  # type: ignore[arg-type]  # checked by pydantic


async def simulated(
    book: TemplateBook, run: Run, truth: Path, producer: FakeProducer | None = None, stop_after: int | None = None
) -> tuple[FakeProducer, list[dict[str, object]]]:
    fake = producer or FakeProducer()
    with TruthFile(truth) as file:
        writer = Writer(book, FastavroEncoder(), run.epoch)
        agent = Agent(fake, writer, file, SimulatorMetrics(CollectorRegistry()), FakeClock())
        if stop_after is not None:
            fake.after = lambda count: agent.stop() if count >= stop_after else None
        await agent.run(run)
    return fake, lines_of(truth)


def lines_of(truth: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]


async def test_truth_names_the_message_at_its_position(book: TemplateBook, tmp_path: Path) -> None:
    """Every fault line leads to a message of that event, and a garbled one does not decode."""
    fake, lines = await simulated(book, build_run(settings(), book, EPOCH), tmp_path / "truth.jsonl")
    decoder, faults = FastavroDecoder(lambda: book), [line for line in lines if "offset" in line]
    assert {line["kind"] for line in faults} == {
        "wrong_unit", "digit_slip", "missing_required", "repeated_message", "late", "child_before_parent", "undecodable"
    }  # fmt: skip
    for line in faults:
        key, value = fake.sent[str(line["topic"]), int(str(line["partition"])), int(str(line["offset"]))]
        assert key == line["producer"]
        decoded = decoder.decode([value])[0]
        if line["kind"] == "undecodable":
            assert decoded.issues[0].rule == line["rule"]
        else:
            assert decoded.issues == ()
            assert decoded.header["event_id"] == line["event_id"]
            assert (decoded.header["epoch"], decoded.header["seq"]) == (line["epoch"], line["seq"])


async def test_sequence_numbers_have_no_holes(book: TemplateBook, tmp_path: Path) -> None:
    """Each producer counts from 0 in the order of its partition; only repetitions repeat a number."""
    fake, _ = await simulated(book, build_run(settings(fault_scale=0.0), book, EPOCH), tmp_path / "truth.jsonl")
    decoder, seqs = FastavroDecoder(lambda: book), dict[str, list[int]]()
    for _, (key, value) in sorted(fake.sent.items()):
        header = decoder.decode([value])[0].header
        assert header["epoch"] == EPOCH
        seqs.setdefault(key, []).append(int(str(header["seq"])))
    assert len(seqs) == 4 * 5
    assert all(found == list(range(len(found))) for found in seqs.values())


async def test_headers_are_valid_and_speak_for_their_own_institute(book: TemplateBook, tmp_path: Path) -> None:
    """No identity finding in any message, the event time is in the past, and event ids are unique."""
    fake, _ = await simulated(book, build_run(settings(fault_scale=0.0), book, EPOCH), tmp_path / "truth.jsonl")
    decoder, ids = FastavroDecoder(lambda: book), []
    for (topic, _, _), (key, value) in fake.sent.items():
        header = decoder.decode([value])[0].header
        assert list(identifier_issues(header)) == []
        assert list(identity_issues(header, topic_institute=institute_of(topic), key=key.encode())) == []
        assert header["event_time"] < NOW  # type: ignore[operator]  # a moment by its schema
        assert header["record_id"] == header["event_id"]
        ids.append(header["event_id"])
    assert len(ids) == len(set(ids))


async def test_a_repetition_has_the_same_bytes_at_a_later_offset(book: TemplateBook, tmp_path: Path) -> None:
    """The line of a repeated message stands at the second of two equal messages of one partition."""
    fake, lines = await simulated(book, build_run(settings(), book, EPOCH), tmp_path / "truth.jsonl")
    repeated = [line for line in lines if line["kind"] == "repeated_message"]
    assert repeated
    for line in repeated:
        place = (str(line["topic"]), int(str(line["partition"])), int(str(line["offset"])))
        same = sorted(p for p, message in fake.sent.items() if message == fake.sent[place])
        assert len(same) == 2
        assert place == same[1]
        assert same[0][:2] == place[:2]
        assert (line["status"], line["rule"]) == ("duplicate", "repeated_message")


async def test_totals_add_up(book: TemplateBook, tmp_path: Path) -> None:
    """The last line counts the messages of each topic, and how many of them were plain."""
    fake, lines = await simulated(book, build_run(settings(), book, EPOCH), tmp_path / "truth.jsonl")
    assert [line["kind"] for line in (lines[0], lines[-2], lines[-1])] == ["run_started", "burst_done", "run_done"]
    messages = Counter(topic for topic, _, _ in fake.sent)
    faults = Counter(line["kind"] for line in lines if "offset" in line)
    assert lines[-1]["messages"] == dict(messages)
    assert lines[-1]["faults"] == dict(faults)
    assert lines[-1]["plain"] == messages.total() - faults.total()


async def test_the_trickle_goes_on_until_stopped(book: TemplateBook, tmp_path: Path) -> None:
    """After the burst more specimens follow; a stop ends the run in order, with all that was sent acknowledged."""
    run = build_run(settings(specimens=5, once=False, trickle_rate=1000.0), book, EPOCH)
    fake, lines = await simulated(book, run, tmp_path / "truth.jsonl", stop_after=len(run.burst) + 20)
    assert len(fake.sent) == len(run.burst) + 20
    assert lines[-1]["kind"] == "run_done"
    assert sum(dict(lines[-1]["messages"]).values()) == len(fake.sent)  # type: ignore[call-overload]  # a JSON object


async def test_a_few_specimens_of_other_projects_follow_the_burst(book: TemplateBook, tmp_path: Path) -> None:
    """The burst is said to be over before them, and names only its own; the totals count them too."""
    run = build_run(settings(specimens=5, projects="ceramic_electrode,olefin_catalyst:3"), book, EPOCH)
    fake, lines = await simulated(book, run, tmp_path / "truth.jsonl")
    assert len({m.event.sample_id for m in run.later if m.event.stage == "property"}) == 3
    assert {m.event.project for m in run.later} == {"olefin_catalyst"}
    done = next(line for line in lines if line["kind"] == "burst_done")
    assert done["projects"] == ["ceramic_electrode"]
    assert sum(dict(done["messages"]).values()) == len(run.burst)  # type: ignore[call-overload]  # a JSON object
    assert sum(dict(lines[-1]["messages"]).values()) == len(fake.sent) == len(run.burst) + len(run.later)  # type: ignore[call-overload]  # a JSON object


async def test_a_stop_after_the_burst_sends_no_more(book: TemplateBook, tmp_path: Path) -> None:
    """Neither the rest of what follows nor a trickle."""
    chosen = settings(specimens=2, projects="ceramic_electrode,olefin_catalyst:3", once=False)
    run = build_run(chosen, book, EPOCH)
    fake, lines = await simulated(book, run, tmp_path / "truth.jsonl", stop_after=len(run.burst) + 2)
    assert len(fake.sent) == len(run.burst) + 2
    assert lines[-1]["kind"] == "run_done"


async def test_a_stop_during_the_burst_leaves_no_burst_done(book: TemplateBook, tmp_path: Path) -> None:
    """Who waits for the burst must not take a stopped one for a whole one."""
    fake, lines = await simulated(book, build_run(settings(), book, EPOCH), tmp_path / "truth.jsonl", stop_after=10)
    assert len(fake.sent) == 10
    assert "burst_done" not in [line["kind"] for line in lines]


async def test_ready_once_a_message_is_acknowledged(book: TemplateBook, tmp_path: Path) -> None:
    """Before the first acknowledgement the agent is not ready, afterwards it is."""
    run = build_run(settings(specimens=1), book, EPOCH)
    with TruthFile(tmp_path / "truth.jsonl") as file:
        writer = Writer(book, FastavroEncoder(), EPOCH)
        agent = Agent(FakeProducer(), writer, file, SimulatorMetrics(CollectorRegistry()), FakeClock())
        before = agent.ready
        await agent.run(run)
    assert (before, agent.ready) == (False, True)


async def test_metrics_count_messages_and_faults(book: TemplateBook, tmp_path: Path) -> None:
    """The registry holds what truth.jsonl says."""
    registry = CollectorRegistry()
    with TruthFile(tmp_path / "truth.jsonl") as file:
        agent = Agent(
            FakeProducer(), Writer(book, FastavroEncoder(), EPOCH), file, SimulatorMetrics(registry), FakeClock()
        )
        await agent.run(build_run(settings(), book, EPOCH))
    last = lines_of(tmp_path / "truth.jsonl")[-1]
    for kind, count in dict(last["faults"]).items():  # type: ignore[call-overload]  # a JSON object
        assert registry.get_sample_value("sojae_faults_planted_total", {"kind": kind}) == count
    for topic, count in dict(last["messages"]).items():  # type: ignore[call-overload]  # a JSON object
        assert registry.get_sample_value("sojae_messages_acknowledged_total", {"topic": topic}) == count
    assert registry.get_sample_value("sojae_burst_done") == 1


def test_equal_seeds_give_equal_bursts_and_the_epoch_gives_new_ones(book: TemplateBook) -> None:
    """With a seed the plan is reproducible; without one each epoch draws anew."""
    assert build_run(settings(), book, EPOCH).burst == build_run(settings(), book, EPOCH).burst
    values = [build_run(settings(seed=None), book, e).burst[0].event.values for e in (EPOCH, EPOCH + 1)]
    assert values[0] != values[1]


def test_samples_of_two_runs_differ_even_with_one_seed(book: TemplateBook) -> None:
    """The epoch stands in every sample id, so a second run describes new specimens."""
    runs = (build_run(settings(), book, e).burst for e in (EPOCH, EPOCH + 1))
    first, second = ({m.event.sample_id for m in burst} for burst in runs)
    assert first.isdisjoint(second)


def test_an_unfinished_line_is_cut_off(tmp_path: Path) -> None:
    """What a killed process left behind does not spoil the next line."""
    path = tmp_path / "truth.jsonl"
    path.write_text('{"kind": "run_started", "epoch": 5}\n{"kind": "la', encoding="utf-8")
    with TruthFile(path) as truth:
        truth.write("run_started", {"epoch": 6})
    assert [json.loads(line)["epoch"] for line in path.read_text(encoding="utf-8").splitlines()] == [5, 6]


def test_the_next_epoch_is_larger_even_when_the_clock_went_back(tmp_path: Path) -> None:
    """Unix time, but never at or below the last run's epoch."""
    path = tmp_path / "truth.jsonl"
    assert next_epoch(path, 1_000) == 1_000
    path.write_text('{"kind": "run_started", "epoch": 5000}\nnoise "run_started"\n', encoding="utf-8")
    assert next_epoch(path, 1_000) == 5_001
    assert next_epoch(path, 9_000) == 9_000


def test_uuid7_holds_time_version_and_variant() -> None:
    """The example of RFC 9562, appendix A.6, comes out of its time and random bits."""
    random_bits = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, random_bits) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    drawn = {uuid7(EPOCH) for _ in range(1_000)}
    assert len(drawn) == 1_000
    assert {(uuid.UUID(u).version, uuid.UUID(u).variant) for u in drawn} == {(7, uuid.RFC_4122)}


def test_run_tags_are_short_and_distinct() -> None:
    """Epochs one millisecond apart have different tags of letters and digits."""
    assert (run_tag(0), run_tag(35), run_tag(36)) == ("0", "z", "10")
    assert len(run_tag(EPOCH)) == 8


def test_topics_are_those_of_the_institutes() -> None:
    """One topic for each institute of the chosen projects."""
    assert topics_of(["ceramic_electrode"]) == ["sojae.events.sim-ceramic-a", "sojae.events.sim-ceramic-b"]


def test_all_projects_are_simulated_two_of_them_in_the_burst() -> None:
    """By default each template is seen alive, and the two that a tour shows come first."""
    chosen = SimulatorSettings.model_validate({})
    assert set(chosen.project_names) == set(LAWS)
    assert chosen.project_names[:2] == ("high_entropy_alloy", "ceramic_electrode")
    assert set(chosen.later) == set(chosen.project_names[2:])
    assert max(chosen.later.values()) < LEAST_ROWS


def test_a_project_named_twice_is_simulated_once() -> None:
    """The burst goes before a number."""
    chosen = settings(projects="ceramic_electrode:4, high_entropy_alloy,ceramic_electrode")
    assert (chosen.project_names, dict(chosen.later)) == (("ceramic_electrode", "high_entropy_alloy"), {})


@pytest.mark.parametrize("count", ["", "0", "-3", "many", "1.5", "100001"])
def test_a_number_of_specimens_that_is_none_is_refused(count: str) -> None:
    """With what is expected."""
    with pytest.raises(ValueError, match="specimens of ceramic_electrode: expected NAME:COUNT"):
        settings(projects=f"ceramic_electrode:{count}")


def test_an_unknown_project_is_refused() -> None:
    """The setting names the projects that have a law."""
    with pytest.raises(ValueError, match="high_entropy_alloy, ceramic_electrode"):
        settings(projects="unobtainium")
