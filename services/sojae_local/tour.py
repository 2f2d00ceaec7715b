"""The tour of `sojae up`: what happens to events, what was learnt, one prediction, one design, and where to go on."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from sojae.client import Client, GatewayProblem
from sojae.domain.card_lines import five_lines, short_number
from sojae.domain.errors import ServiceError
from sojae.domain.model import Card
from sojae.domain.text import Text
from sojae_local.truth_share import Burst, Place, Share, hard_range_slips, look_up, place_of, read_burst, shares
from sojae_local.up import Running

JSON = dict[str, Any]
Found = TypeVar("Found")
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.5
SAY_SECONDS = 3.0
REASONS_SHOWN = 5
TRUTH = "truth.jsonl"
SHOWN_TARGETS = frozenset({"peak_power_density", "yield_strength.tension"})
"""What people ask for first; a project without them shows the target with most rows."""


async def guided_tour(running: Running, *, json_line: bool = False) -> int:
    """Walk through the running system, saying what is seen; 0, or 1 with the reason when something is not as it must be.

    With `json_line` the last line is JSON: ids and numbers, each of which can be found again in store, shelf and HTTP.
    """
    url = running.run.gateway_url
    assert url is not None, "the gateway is one of the services"
    try:
        facts = await asyncio.to_thread(_walk, running, url)
    except ServiceError as error:
        running.report(error.text)
        return 1
    running.report(
        Text(
            en=f"go on from here: {url}/v1/projects (all routes: {url}/schema/openapi.json; Ctrl-C stops everything)",
            ko=f"이어서 보기: {url}/v1/projects (모든 주소: {url}/schema/openapi.json, Ctrl-C로 종료)",
        )
    )
    if json_line:
        line = json.dumps({"tour": facts}, ensure_ascii=False)
        running.report(Text(en=line, ko=line))
    return 0


def _walk(running: Running, url: str) -> JSON:
    with Client.connect(url) as client:
        tour = _Tour(client, running)
        burst = tour.wait(
            "the burst of the simulated laboratories",
            "모의 실험실의 첫 전송",
            lambda: read_burst(running.home.path / TRUTH),
        )
        facts: JSON = {"epoch": burst.epoch, "broker": running.run.broker, "gateway": url, "messages": burst.messages}
        facts |= tour.events(burst)
        facts["projects"] = {name: tour.project(name) for name in tour.projects()}
        facts["seconds"] = round(time.monotonic() - tour.began, 1)
    return facts


@dataclass(slots=True)
class _Tour:
    """One walk: says what it sees, and waits for what is still to come."""

    client: Client
    running: Running
    began: float = field(default_factory=time.monotonic)

    def say(self, en: str, ko: str) -> None:
        self.running.report(Text(en=en, ko=ko))

    def wait(self, en: str, ko: str, look: Callable[[], Found | None]) -> Found:
        """Return what `look` finds, looking again and again; raises ServiceError when patience ends."""
        said = time.monotonic()
        while (found := look()) is None:
            if time.monotonic() - self.began > PATIENCE_SECONDS:
                raise ServiceError(en=f"waited in vain for {en}", ko=f"기다렸으나 오지 않았습니다: {ko}")
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                self._say_counts()
            time.sleep(LOOK_SECONDS)
        return found

    def _say_counts(self) -> None:
        rows = self.client.status()["rows"]
        if rows:
            self.say(f"  stored so far: {_counts(rows)}", f"  지금까지 저장: {_counts(rows)}")

    def events(self, burst: Burst) -> JSON:
        """Wait until the burst is stored; say what became of it and what of the planted faults was seen."""
        places = {place_of(f) for f in burst.faults}

        stored: dict[Place, JSON] = {}

        def all_there() -> bool | None:
            stored.update(look_up(self.client, [f for f in burst.faults if place_of(f) not in stored]))
            return places <= set(stored) or None

        self.wait("the planted faults in the store", "심어 둔 결함의 저장", all_there)
        status = self.client.status()
        self.say(
            f"events stored exactly once: {_counts(status['rows'])}",
            f"정확히 한 번 저장된 이벤트: {_counts(status['rows'])}",
        )
        self._say_reasons()
        by_kind, leaving = shares(burst.faults, stored), hard_range_slips(burst.faults, stored)
        for kind, share in sorted(by_kind.items()):
            self.say(
                f"  planted {share.planted} × {kind}: {share.seen} seen as it must be, {share.planted - share.visible} that no rule can see",
                f"  심은 결함 {share.planted} × {kind}: {share.seen}개 발견, {share.planted - share.visible}개는 어떤 규칙으로도 볼 수 없음",
            )
        if leaving.seen < leaving.planted:
            raise ServiceError(
                en=f"{leaving.planted - leaving.seen} of {leaving.planted} values outside the possible range were not seen",
                ko=f"가능한 범위를 벗어난 값 {leaving.planted}개 중 {leaving.planted - leaving.seen}개를 보지 못했습니다",
            )
        faults = {kind: _share(share) for kind, share in sorted(by_kind.items())}
        counts = {"store_version": status["store_version"], "rows": status["rows"]}
        return {"events": counts, "faults": faults, "hard_range_slips": _share(leaving)}

    def _say_reasons(self) -> None:
        rules, example = Counter[str](), dict[str, JSON]()
        for row in self._newest_quarantined():
            for issue in [i for i in row["issues"] if i["severity"] == "hard"][:1]:
                rules[issue["rule"]] += 1
                example.setdefault(issue["rule"], issue)
        for rule, count in rules.most_common(REASONS_SHOWN):
            issue = example[rule]
            where, expected = issue["field"] or "–", issue["expected"]
            self.say(
                f"  quarantined {count} × {rule}, such as {where}: got {issue['got']}, expected {expected}",
                f"  격리 {count} × {rule}, 예: {where}: {issue['got']} (기대: {expected})",
            )

    def _newest_quarantined(self) -> Iterator[JSON]:
        for number, row in enumerate(self.client.quarantine()):
            if number >= 100:
                return
            yield row

    def projects(self) -> list[str]:
        """Return the projects that the simulated laboratories have sent records of."""
        counted = {row["project"] for row in self.client.status()["by_institute"] if row["stage"] == "property"}
        return sorted(name for name in counted if name)

    def project(self, name: str) -> JSON:
        """Say the model card, one prediction of a measured recipe, and one design; return their numbers."""
        model = self.wait(f"a model of {name}", f"{name} 모델", lambda: self._model(name))
        card = msgspec.convert(model["card"], Card)
        target = max(card.targets, key=lambda t: (t.name in SHOWN_TARGETS, t.rows))
        for line in five_lines(card, target.name):
            self.say(f"  {line.en}", f"  {line.ko}")
        bounds = next(t for t in model["manifest"]["targets"] if t["name"] == target.name)
        wanted = float(short_number((bounds["low"] + bounds["high"]) / 2))
        answer = self.client.design(name, {target.name: wanted}, top_k=5)
        facts = {"model_version": model["version"], "target": target.name, "unit": target.unit, "rows": target.rows}
        facts["prediction"] = self._predict(name, target.name, answer["baseline"][0])
        facts["design"] = self._design(target.name, wanted, answer)
        return facts

    def _model(self, name: str) -> JSON | None:
        try:
            return self.client.model(name)
        except GatewayProblem as problem:
            if problem.rule == "no_model_yet":
                return None
            raise

    def _predict(self, project: str, target: str, record: JSON) -> JSON:
        inputs = {k: v for k, v in record["inputs"].items() if v is not None}
        row = self.client.predict(project, [inputs], [target])["rows"][0]["predictions"][target]
        measured, unit = record["measured"][target], row["unit"] or ""
        numbers = f"{short_number(row['mean'])} ({short_number(row['lower'])} – {short_number(row['upper'])}) {unit}"
        self.say(
            f"  prediction for the recipe of {record['sample_id']}: {target} = {numbers}, measured {short_number(measured)}",
            f"  {record['sample_id']} 배합의 예측: {target} = {numbers}, 측정값 {short_number(measured)}",
        )
        answer = {name: row[name] for name in ("mean", "lower", "upper", "std")}
        return {"record_id": record["record_id"], "institute": record["institute"], "measured": measured, **answer}

    def _design(self, target: str, wanted: float, answer: JSON) -> JSON:
        best = answer["designs"][0]
        expected = best["expected"][target]
        shown = ", ".join(f"{k} = {_value(v)}" for k, v in best["inputs"].items() if v not in (None, 0, 0.0))
        self.say(
            f"  a recipe for {target} = {short_number(wanted)} {expected['unit'] or ''}: {shown}",
            f"  {target} = {short_number(wanted)} {expected['unit'] or ''}을(를) 위한 배합: {shown}",
        )
        self.say(
            f"    expected {short_number(expected['mean'])} ± {short_number(expected['std'])}; {answer['message']['en']}",
            f"    기대값 {short_number(expected['mean'])} ± {short_number(expected['std'])}; {answer['message']['ko']}",
        )
        facts = {name: best[name] for name in ("library_row", "hit_probability", "distance", "measured")}
        return {
            "wanted": wanted,
            "mean": expected["mean"],
            "std": expected["std"],
            "reachable": answer["reachable"],
            **facts,
        }


def _counts(rows: dict[str, int]) -> str:
    return ", ".join(f"{n} {status}" for status, n in sorted(rows.items()))


def _share(share: Share) -> JSON:
    return {"planted": share.planted, "visible": share.visible, "seen": share.seen, "share": round(share.share, 4)}


def _value(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}{short_number(v)}" for k, v in value.items() if v)
    return short_number(value) if isinstance(value, float) else str(value)
