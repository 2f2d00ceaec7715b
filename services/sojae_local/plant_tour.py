"""The plant's part of the tour: how the forecast of a batch narrows while it runs, and what the laboratory says of it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from sojae.adapters.template_files import TemplateBook
from sojae.client import Client
from sojae.domain.card_lines import short_number
from sojae.domain.errors import ServiceError
from sojae.domain.text import Language, Text
from sojae_local.tour_words import LANGUAGES, interval, with_shown_unit
from sojae_local.truth_share import truth_lines

JSON = dict[str, Any]
Report = Callable[[Text], None]
Listen = Callable[[str], Iterator[JSON]]
LINES = 3
"""Forecasts of one batch that are shown."""
NARROWER = 0.8
"""A forecast is shown when more is known, or its interval is so much of the one shown last."""
SILENCE_SECONDS = 12.0
"""A plant that says nothing for so long says nothing; it must be less than the stream's 15 s between comments."""
ENOUGH_SECONDS = 60.0
FAIR_SECONDS = 10.0
"""After both, a score of whichever batch is enough, narrowed or not: the tour is to be over after 90 s, where it can be."""

FORECAST_FACTS = ("id", "at", "known", "mean", "lower", "upper", "model_version")
SCORE_FACTS = ("id", "record_id", "measured", "inside", "error", "mean", "lower", "upper")


@dataclass(slots=True)
class PlantTour:
    """Follows one plant as `listen` gives it; the tour began at `began` and ends with `patience` (monotonic seconds, seconds)."""

    listen: Listen
    report: Report
    book: TemplateBook
    truth: Path
    began: float
    patience: float
    listening: float = field(default_factory=time.monotonic)
    told: dict[str, list[JSON]] = field(default_factory=dict)
    shown: dict[str, list[JSON]] = field(default_factory=dict)

    def show(self, plants: Sequence[JSON]) -> JSON | None:
        """Return the numbers of one batch that was forecast and scored, said as they came; None where no plant is simulated.

        Raises ServiceError when no batch is scored in time.
        """
        simulated = {line["plant"] for line in truth_lines(self.truth) if line["kind"] == "plant_started"}
        plant = next((p for p in plants if p["target"] and p["plant"] in simulated), None)
        if plant is None:
            return None
        name, target = plant["plant"], plant["target"]
        self._say(
            f"{_label(plant, 'en')}: {target} of a batch is forecast while it runs, and compared once it is measured:",
            f"{_label(plant, 'ko')}: 배치가 진행되는 동안 {target}을(를) 예측하고, 측정되면 비교합니다:",
        )
        for event in self.listen(name):
            if event["event"] == "forecast":
                self._forecast(event["data"])
            elif event["event"] == "score" and self._is_enough(event["data"]):
                return self._scored(plant, event["data"])
            self._check_patience(name)
        raise _in_vain(name)

    def _forecast(self, forecast: JSON) -> None:
        batch = forecast["batch"]
        known = self.told.setdefault(batch, [])
        if all(one["id"] != forecast["id"] for one in known):
            known.append(forecast)
        # One batch is followed at a time: the first of which anything is heard.
        if not self.shown or batch in self.shown:
            self._show_if_better(forecast)

    def _show_if_better(self, forecast: JSON) -> None:
        lines = self.shown.setdefault(forecast["batch"], [])
        if len(lines) < LINES and (not lines or _is_better(forecast, lines[-1])):
            self._show(forecast)

    def _show(self, forecast: JSON) -> None:
        lines = self.shown.setdefault(forecast["batch"], [])
        new = sorted(set(forecast["known"]) - set(lines[-1]["known"] if lines else ()))
        number, between = _mean(forecast), interval(forecast["lower"], forecast["upper"], forecast["unit"])
        told = {language: ", ".join(self._names(forecast["project"], new, language)) for language in LANGUAGES}
        if lines:
            hours = (_time(forecast) - _time(lines[-1])).total_seconds() / 3600
            en, ko = f"after {hours:.1f} h more: ", f"{hours:.1f}시간 뒤: "
        else:
            en = f"batch {forecast['batch']} in {forecast['asset']}: "
            ko = f"{forecast['asset']}의 배치 {forecast['batch']}: "
        en += f"{number} (90 %: {between})" + (f"; it has told {told['en']}" if new else "")
        ko += f"{number} (90 %: {between})" + (f"; 알려진 것: {told['ko']}" if new else "")
        self._say(f"  {en}", f"  {ko}")
        lines.append(forecast)

    def _is_enough(self, score: JSON) -> bool:
        forecasts = self.told.get(score["batch"], [])
        if not forecasts:
            return False
        narrowed = len(forecasts) > 1 and _is_better(forecasts[-1], forecasts[0])
        now = time.monotonic()
        return narrowed or (now - self.began > ENOUGH_SECONDS and now - self.listening > FAIR_SECONDS)

    def _scored(self, plant: JSON, score: JSON) -> JSON:
        forecasts = self.told[score["batch"]]
        if score["batch"] not in self.shown:
            for forecast in forecasts:
                self._show_if_better(forecast)
        truth = read_truth(self.truth, score["batch"])
        self._say_score(score, truth.get("true_property", {}).get(score["target"]))
        facts = {name: plant[name] for name in ("plant", "institute", "project", "target")}
        facts |= {name: score[name] for name in ("unit", "batch", "asset")}
        facts["forecasts"] = [{name: one[name] for name in FORECAST_FACTS} for one in _that_say_more(forecasts)]
        facts["score"] = {name: score[name] for name in SCORE_FACTS}
        return facts | {"truth": truth}

    def _say_score(self, score: JSON, true: float | None) -> None:
        inside = ("inside", "구간 안") if score["inside"] else ("outside", "구간 밖")
        measured = with_shown_unit(score["measured"], score["unit"])
        en, ko = f"measured {measured}: {inside[0]} the last interval", f"측정값 {measured}: 마지막 {inside[1]}"
        if true is not None:
            en += f"; the simulator, which alone can know, gave it {short_number(true)}"
            ko += f"; 모의 공정이 정한 참값은 {short_number(true)}"
        self._say(f"  {en}", f"  {ko}")

    def _names(self, project: str, inputs: Sequence[str], language: Language) -> list[str]:
        """Return inputs, `<stage>.<field>`, as people call them."""
        labels = {
            f"{t.key.stage}.{f.name}": f.label[language]
            for t in self.book
            if t.key.project == project
            for f in t.fields
        }
        return [labels.get(key, key).lower() for key in inputs]

    def _check_patience(self, plant: str) -> None:
        if time.monotonic() - self.began > self.patience:
            raise _in_vain(plant)

    def _say(self, en: str, ko: str) -> None:
        self.report(Text(en=en, ko=ko))


def listen_to(url: str) -> Listen:
    """Return what yields all that the gateway still holds of a plant, and then what comes; windows too, so that silence is noticed."""

    def listen(plant: str) -> Iterator[JSON]:
        with Client(url, timeout_seconds=SILENCE_SECONDS) as asking:
            try:
                yield from asking.stream(plant=plant, kind=("feature", "forecast", "score"), last_id=f"{plant}:")
            except ServiceError as error:
                raise _in_vain(plant) from error

    return listen


def read_truth(path: Path, batch: str) -> JSON:
    """Return what the simulator wrote down of a batch: its true properties, and what was measured; empty when nothing is."""
    found: JSON = {}
    for line in truth_lines(path):
        if line.get("batch") != batch:
            continue
        if line["kind"] == "plant_batch_done":
            found |= {name: line[name] for name in line if name.startswith("true_")}
        elif line["kind"] == "plant_property_sent":
            found |= {"record_id": line["record_id"], "measured": line["measured"]}
    return found


def _is_better(forecast: JSON, than: JSON) -> bool:
    """Return whether a forecast says more than an earlier one: more inputs are known, or its interval is narrower."""
    width, before = (one["upper"] - one["lower"] for one in (forecast, than))
    return len(forecast["known"]) > len(than["known"]) or width < NARROWER * before


def _that_say_more(forecasts: Sequence[JSON]) -> list[JSON]:
    """Return the first forecast of a batch, each that knew more than the one before, and the last."""
    better = [later for one, later in pairwise(forecasts) if len(later["known"]) > len(one["known"])]
    told = {one["id"]: one for one in (forecasts[0], *better, forecasts[-1])}
    return list(told.values())


def _mean(forecast: JSON) -> str:
    return f"{forecast['target']} = {short_number(forecast['mean'])}"


def _time(forecast: JSON) -> datetime:
    return datetime.fromisoformat(forecast["at"])


def _label(plant: Mapping[str, Any], language: Language) -> str:
    return str((plant["label"] or {}).get(language, plant["plant"]))


def _in_vain(plant: str) -> ServiceError:
    return ServiceError(
        en=f"waited in vain for a batch of {plant} that is forecast and measured; see the monitor's log",
        ko=f"{plant}에서 예측되고 측정된 배치를 기다렸으나 오지 않았습니다. 모니터의 로그를 보십시오",
    )
