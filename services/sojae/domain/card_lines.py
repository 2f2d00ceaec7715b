"""A model card in five lines, for people."""

from collections.abc import Sequence

from sojae.domain.model import Card, Importance
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit


def five_lines(card: Card, target: str | None = None) -> list[Text]:
    """Return the card in five lines: data, rows, errors, intervals and inputs, verdict; of the target with most rows."""
    one = max(card.targets, key=lambda t: (t.name == target, t.rows))
    unit = f" {shown_unit(one.unit)}".rstrip()
    served = next(s for s in one.learners if s.name == one.chosen)
    errors = ", ".join(
        f"{s.name} {short_number(s.random.mae)} / {short_number(s.grouped.mae)} ({s.random.r2:.2f} / {s.grouped.r2:.2f})"
        for s in (served, *reversed(one.baselines))
    )
    names = ", ".join(i.field for i in _leading(one.importance))
    coverage, other = 100 * one.interval.coverage_grouped, 100 * one.interval.coverage_random
    return [
        Text(
            ko=f"{card.project}: {card.dataset.rows}행으로 학습한 모델 {len(card.targets)}개; 역설계 후보 {card.library_rows}개 가운데 "
            f"{card.library_unmeasured}개는 측정된 적이 없음",
            en=f"{card.project}: {len(card.targets)} models from {card.dataset.rows} rows; {card.library_rows} designs in the "
            f"inverse library, {card.library_unmeasured} of them never measured",
        ),
        Text(
            ko=f"{one.label.ko}{unit}: {one.rows}행, {one.grouped_by} 기준 {one.groups}개 그룹, 복사된 행 {one.copied_rows}개",
            en=f"{one.label.en}{unit}: {one.rows} rows in {one.groups} groups by {one.grouped_by}, {one.copied_rows} copied rows",
        ),
        Text(
            ko=f"평균절대오차(R²), 한 행씩 빼고 / 그룹째 빼고 잰 값: {errors}",
            en=f"mean absolute error (R²), single rows left out / whole groups left out: {errors}",
        ),
        Text(
            ko=f"90 % 구간이 새 그룹의 {coverage:.0f} %를 포함(무작위 분할 {other:.0f} %); 중요한 입력: {names}",
            en=f"90 % intervals hold {coverage:.0f} % of left-out groups ({other:.0f} % of random rows); what matters: {names}",
        ),
        one.verdict,
    ]


def short_number(value: float) -> str:
    """Return a number with three significant digits, without an exponent."""
    return f"{float(f'{value:.3g}'):f}".rstrip("0").rstrip(".") or "0"


def _leading(importance: Sequence[Importance]) -> Sequence[Importance]:
    return [i for i in importance if i.mean > 0][:3] or importance[:1]
