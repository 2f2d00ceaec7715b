"""The eight lead projects of the plan: their names as published, their field, and the family of their materials."""

from collections.abc import Mapping
from typing import NamedTuple

from sojae.domain.text import Text


class LeadProject(NamedTuple):
    """One lead project; field and family are our reading of the published list, which names neither."""

    name: Text
    field: Text
    family: Text


HYDROGEN = Text(ko="수소경제", en="hydrogen economy")
CARBON = Text(ko="탄소중립", en="carbon neutrality")
MOBILITY = Text(ko="미래모빌리티", en="future mobility")
METAL, CERAMIC = Text(ko="금속", en="metal"), Text(ko="세라믹", en="ceramic")
CHEMISTRY, TEXTILE = Text(ko="화학", en="chemistry"), Text(ko="섬유", en="textile")

LEAD_PROJECTS: Mapping[str, LeadProject] = {
    "hydrogen_catalyst": LeadProject(
        Text(ko="고효율 그린수소 생산용 금속 촉매소재", en="Metal catalysts for green hydrogen"), HYDROGEN, METAL
    ),
    "ceramic_electrode": LeadProject(
        Text(ko="양방향 연료전지용 All-Ceramic 전극소재", en="All-ceramic electrodes for reversible fuel cells"),
        HYDROGEN,
        CERAMIC,
    ),
    "olefin_catalyst": LeadProject(
        Text(ko="대체원료 활용 올레핀 생산용 촉매소재", en="Catalysts for olefins from alternative feed"),
        CARBON,
        CHEMISTRY,
    ),
    "biodegradable_fibre": LeadProject(
        Text(ko="생분해성 고강도 섬유소재", en="Biodegradable high-strength fibre"), CARBON, TEXTILE
    ),
    "high_entropy_alloy": LeadProject(
        Text(ko="가스터빈 부품용 고엔트로피 합금소재", en="High-entropy alloys for gas-turbine parts"), CARBON, METAL
    ),
    "composite_resin": LeadProject(
        Text(ko="미래모빌리티 내외장용 경량복합수지", en="Light composite resins for interior and exterior"),
        MOBILITY,
        CHEMISTRY,
    ),
    "interior_textile": LeadProject(
        Text(ko="미래수송기기용 고내광성 친환경 내장재", en="Light-fast eco-friendly interior textiles"),
        MOBILITY,
        TEXTILE,
    ),
    "capacitor_ceramic": LeadProject(
        Text(ko="미래차 전장용 고신뢰성 커패시터 소재", en="High-reliability capacitor materials"), MOBILITY, CERAMIC
    ),
}
"""Published on 15 March 2021."""
