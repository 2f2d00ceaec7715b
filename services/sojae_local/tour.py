"""The tour of `sojae up`: what happens to events, what was learnt, one prediction, one design, and where to go on."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.client import Client, GatewayProblem
from sojae.domain.card_lines import five_lines, short_number
from sojae.domain.errors import ServiceError
from sojae.domain.issue import rule_text
from sojae.domain.model import Card
from sojae.domain.template import Template
from sojae.domain.text import Text
from sojae.settings import TemplatesSettings, read
from sojae_local.plant_tour import PlantTour, listen_to
from sojae_local.tour_words import (
    PLANTED,
    by_status,
    conditions,
    interval,
    planted,
    quarantined,
    recipe,
    with_shown_unit,
)
from sojae_local.truth_share import TRUTH, Burst, Place, Share, hard_range_slips, look_up, place_of, read_burst, shares
from sojae_local.up import Running

JSON = dict[str, Any]
Found = TypeVar("Found")
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.5
SAY_SECONDS = 3.0
REASONS_SHOWN = 5
SHOWN_TARGETS = frozenset({"peak_power_density", "yield_strength.tension"})
"""What people ask for first; a project without them shows the target with most rows."""


GO_ON = Text(
    en="go on from here: {url}/v1/projects (all routes: {url}/schema/openapi.json; Ctrl-C stops everything)",
    ko="이어서 보기: {url}/v1/projects (모든 주소: {url}/schema/openapi.json, Ctrl-C로 종료)",
)
THE_END = Text(
    en="the tour is over, and everything stops; `sojae up` goes on from here. The numbers of the tour, for programs:",
    ko="둘러보기가 끝나 모두 종료합니다. `sojae up`이 이어서 실행합니다. 프로그램을 위한 둘러보기의 수치:",
)


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
    running.report(THE_END if json_line else GO_ON.format(url=url))
    if json_line:
        line = json.dumps({"tour": facts}, ensure_ascii=False)
        running.report(Text(en=line, ko=line))
    return 0


def _walk(running: Running, url: str) -> JSON:
    with Client.connect(url) as client:
        tour = _Tour(client, running, load_templates(read(TemplatesSettings).path))
        burst = tour.wait(
            "the burst of the simulated laboratories",
            "모의 실험실의 첫 전송",
            lambda: read_burst(running.home.path / TRUTH),
        )
        facts: JSON = {"epoch": burst.epoch, "broker": running.run.broker, "gateway": url, "messages": burst.messages}
        facts |= tour.events(burst)
        facts["projects"] = {name: tour.project(name) for name in burst.projects}
        truth = running.home.path / TRUTH
        line = PlantTour(listen_to(url), running.report, tour.book, truth, tour.began, PATIENCE_SECONDS)
        facts["plant"] = line.show(client.plants())
        facts["seconds"] = round(time.monotonic() - tour.began, 1)
    return facts


@dataclass(slots=True)
class _Tour:
    """One walk: says what it sees, and waits for what is still to come."""

    client: Client
    running: Running
    book: TemplateBook
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
                self._say_counts(en, ko)
            time.sleep(LOOK_SECONDS)
        return found

    def _say_counts(self, en: str, ko: str) -> None:
        stored = by_status(self.client.status()["rows"])
        self.say(
            f"  waiting for {en}; stored so far: {stored.en or '–'}",
            f"  기다리는 중: {ko}. 지금까지 저장: {stored.ko or '–'}",
        )

    def events(self, burst: Burst) -> JSON:
        """Wait until the burst is stored; say what became of it and what of the planted faults was seen."""
        places = {place_of(f) for f in burst.faults}

        stored: dict[Place, JSON] = {}

        def all_there() -> bool | None:
            stored.update(look_up(self.client, [f for f in burst.faults if place_of(f) not in stored]))
            return places <= set(stored) or None

        self.wait("the planted faults in the store", "심어 둔 결함의 저장", all_there)
        status = self.client.status()
        stored_so_far = by_status(status["rows"])
        self.say(
            f"events in the store, each exactly once: {stored_so_far.en}",
            f"저장소의 이벤트(각각 정확히 한 번): {stored_so_far.ko}",
        )
        self._say_reasons()
        by_kind, leaving = shares(burst.faults, stored), hard_range_slips(burst.faults, stored)
        self.running.report(PLANTED)
        for kind, share in sorted(by_kind.items()):
            self.running.report(planted(kind, share))
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
        if rules:
            newest = rules.total()
            self.say(
                f"the commonest reasons among the newest {newest} that were quarantined:",
                f"최근 격리된 {newest}건의 가장 흔한 까닭:",
            )
        for rule, count in rules.most_common(REASONS_SHOWN):
            said = next(
                (rule_text(rule, t) for t in self.book if rule in {r.id for r in t.rules}), rule_text(rule, None)
            )
            self.running.report(quarantined(count, example[rule], said))

    def _newest_quarantined(self) -> Iterator[JSON]:
        for number, row in enumerate(self.client.quarantine()):
            if number >= 100:
                return
            yield row

    def project(self, name: str) -> JSON:
        """Say the model card, one prediction of a measured recipe, and one design; return their numbers."""
        model = self.wait(f"a model of {name}", f"{name} 모델", lambda: self._model(name))
        card = msgspec.convert(model["card"], Card)
        target = max(card.targets, key=lambda t: (t.name in SHOWN_TARGETS, t.rows))
        for line in five_lines(card, target.name):
            self.say(f"  {line.en}", f"  {line.ko}")
        self._say_grades(name)
        bounds = next(t for t in model["manifest"]["targets"] if t["name"] == target.name)
        wanted = _middle(bounds)
        answer = self.client.design(name, {target.name: wanted}, top_k=5)
        if not answer["reachable"] and answer["reach"]:
            # The middle of all tests may lie beyond what is reached under the conditions that are assumed.
            wanted = _middle(answer["reach"][target.name])
            answer = self.client.design(name, {target.name: wanted}, top_k=5)
        facts = {"model_version": model["version"], "target": target.name, "unit": target.unit, "rows": target.rows}
        facts["prediction"] = self._predict(name, target.name, answer["baseline"][0])
        facts["design"] = self._design(name, target.name, wanted, answer)
        return facts

    def _say_grades(self, name: str) -> None:
        counted = self.client.project(name)["grades"].get("property", {})
        shown = ", ".join(f"{grade} {n}" for grade, n in sorted(counted.items()))
        self.say(f"  quality grades of its property records: {shown}", f"  물성 기록의 품질 등급: {shown}")

    def _model(self, name: str) -> JSON | None:
        try:
            return self.client.model(name)
        except GatewayProblem as problem:
            if problem.rule == "no_model_yet":
                return None
            raise

    def _predict(self, project: str, target: str, record: JSON) -> JSON:
        inputs = {k: v for k, v in {**record["inputs"], **record["conditions"]}.items() if v is not None}
        row = self.client.predict(project, [inputs], [target])["rows"][0]["predictions"][target]
        measured, mean = record["measured"][target], short_number(row["mean"])
        between = interval(row["lower"], row["upper"], row["unit"])
        self.say(
            f"  prediction for the recipe of {record['sample_id']}: {target} = {mean} (90 %: {between}), measured {short_number(measured)}",
            f"  {record['sample_id']} 배합의 예측: {target} = {mean} (90 %: {between}), 측정값 {short_number(measured)}",
        )
        answer = {name: row[name] for name in ("mean", "lower", "upper", "std")}
        return {"record_id": record["record_id"], "institute": record["institute"], "measured": measured, **answer}

    def _newest(self, project: str) -> list[Template]:
        having = {t.key.stage for t in self.book if t.key.project == project}
        return [self.book.get(project, stage) for stage in having]

    def _design(self, project: str, target: str, wanted: float, answer: JSON) -> JSON:
        best = answer["designs"][0]
        expected = best["expected"][target]
        templates = self._newest(project)
        goal, mean = with_shown_unit(wanted, expected["unit"]), with_shown_unit(expected["mean"], expected["unit"])
        shown, under = recipe(best["inputs"], templates), conditions(best["conditions"], templates)
        self.say(f"  a recipe for {target} = {goal}:\n{shown.en}", f"  {target} = {goal}을(를) 위한 배합:\n{shown.ko}")
        if under.en:
            self.say(f"    under {under.en}", f"    조건: {under.ko}")
        std = short_number(expected["std"])
        self.say(
            f"    expected {mean} ± {std} (one standard deviation); {answer['message']['en']}",
            f"    기대값 {mean} ± {std}(표준편차); {answer['message']['ko']}",
        )
        facts = {name: best[name] for name in ("library_row", "hit_probability", "distance", "measured")}
        return {
            "wanted": wanted,
            "mean": expected["mean"],
            "std": expected["std"],
            "reachable": answer["reachable"],
            **facts,
        }


def _middle(ends: JSON) -> float:
    return float(short_number((ends["low"] + ends["high"]) / 2))


def _share(share: Share) -> JSON:
    return {"planted": share.planted, "visible": share.visible, "seen": share.seen, "share": round(share.share, 4)}
