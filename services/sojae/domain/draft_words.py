"""Words of the field: what Korean headers say in English, and which words tell of raw materials, recipes, processes, properties."""

import unicodedata

KOREAN: dict[str, str] = {
    "소결": "sintering", "열처리": "heat treatment", "어닐링": "annealing", "하소": "calcination", "건조": "drying",
    "냉각": "cooling", "가열": "heating", "승온": "heating", "압연": "rolling", "연신": "drawing", "방사": "spinning",
    "사출": "injection", "성형": "forming", "혼합": "mixing", "교반": "stirring", "밀링": "milling", "볼밀": "ball mill",
    "가압": "pressing", "코팅": "coating", "염색": "dyeing", "용해": "melting", "주조": "casting", "단조": "forging",
    "급냉": "quenching", "양생": "curing", "재령": "age", "유지": "hold", "온도": "temperature", "시간": "time",
    "속도": "speed", "압력": "pressure", "전압": "voltage", "전류": "current", "전력": "power", "출력": "power", "유량": "flow",
    "습도": "humidity", "분위기": "atmosphere", "가스": "gas", "횟수": "count", "회수": "count", "층수": "layers",
    "간격": "gap", "거리": "distance", "공정": "process", "방법": "method", "조건": "condition", "주파수": "frequency",
    "하중": "load", "시험": "test", "측정": "measurement", "평가": "test", "환산": "converted", "조성": "composition",
    "배합": "mix", "함량": "content", "함유량": "content", "비율": "ratio", "분율": "fraction", "농도": "concentration",
    "첨가제": "additive", "첨가량": "additive amount", "첨가": "additive", "도펀트": "dopant", "화학식": "formula",
    "용매": "solvent", "수지": "resin", "충전제": "filler", "필러": "filler", "바인더": "binder", "시멘트": "cement",
    "골재": "aggregate", "슬래그": "slag", "물": "water", "모래": "sand", "원료": "raw material", "원재료": "raw material",
    "전구체": "precursor", "분말": "powder", "입도": "particle size", "입경": "particle size", "순도": "purity",
    "비표면적": "specific surface", "공급사": "supplier", "제조사": "maker", "등급": "grade", "로트": "lot", "배치": "batch",
    "강도": "strength", "인장": "tensile", "압축": "compressive", "굴곡": "flexural", "항복": "yield", "충격": "impact",
    "경도": "hardness", "탄성": "elastic", "탄성률": "modulus", "계수": "coefficient", "신율": "elongation",
    "연신율": "elongation", "파단": "break", "인성": "toughness", "전도도": "conductivity", "저항": "resistance",
    "비저항": "resistivity", "유전율": "permittivity", "손실": "loss", "밀도": "density", "상대": "relative",
    "기공률": "porosity", "수축률": "shrinkage", "수축": "shrinkage", "두께": "thickness", "직경": "diameter",
    "결정립": "grain", "크기": "size", "점도": "viscosity", "조도": "roughness", "효율": "efficiency", "수율": "yield",
    "선택도": "selectivity", "전환율": "conversion", "용량": "capacity", "수명": "lifetime", "열화": "degradation",
    "과전압": "overpotential", "특성": "property", "물성": "property", "최대": "maximum", "최소": "minimum", "평균": "mean",
    "초기": "initial", "최종": "final", "총": "total", "시료": "sample", "시편": "specimen", "번호": "number", "이름": "name",
    "명": "name", "일자": "date", "날짜": "date", "비고": "comment", "메모": "comment", "출처": "reference",
    "논문": "reference", "문헌": "reference", "작업자": "operator", "장비": "instrument", "질량": "mass", "무게": "weight",
    "중량": "weight", "부피": "volume", "길이": "length", "면적": "area", "에너지": "energy", "전기": "electrical",
    "열": "thermal", "이온": "ion", "전극": "electrode", "전해질": "electrolyte", "촉매": "catalyst", "섬유": "fibre",
}  # fmt: skip
"""Korean word → what it says in English; the longest that fits is taken."""

_LONGEST = max(len(word) for word in KOREAN)

CONDITION = ("test", "measurement", "measuring", "frequency", "bias")
RAW = (
    "raw", "particle", "purity", "supplier", "maker", "vendor", "manufacturer", "grade", "lot", "batch", "d50", "bet", "precursor",
    "feedstock", "surface",
)  # fmt: skip
PROPERTY = (
    "strength", "modulus", "hardness", "elongation", "toughness", "ductility", "conductivity", "resistivity", "resistance", "permittivity",
    "dielectric", "loss", "capacity", "capacitance", "overpotential", "efficiency", "yield", "selectivity", "conversion", "density", "porosity",
    "shrinkage", "grain", "viscosity", "roughness", "bandgap", "degradation", "lifetime", "retention", "ys", "uts", "hv", "hrc", "ocv", "asr",
    "creep", "fatigue", "wear", "corrosion", "impact", "absorption", "transition", "tenacity", "crystallinity", "stress", "strain",
    "elastic", "stiffness", "tg", "zt", "seebeck",
)  # fmt: skip
AMOUNT = (
    "content",
    "fraction",
    "composition",
    "dopant",
    "additive",
    "concentration",
    "amount",
    "formula",
    "wt",
    "mol",
    "loading",
)
PROCESS = (
    "temperature", "temp", "time", "duration", "pressure", "rate", "speed", "velocity", "power", "voltage", "current", "flow", "sinter",
    "anneal", "calcin", "cool", "heat", "dry", "drying", "mill", "mixing", "press", "roll", "draw", "spin", "forg", "quench", "layer", "gap",
    "distance", "humidity", "atmosphere", "gas", "route", "method", "furnace", "mould", "mold", "ramp", "dwell", "hold", "spray", "print",
    "laser", "scan", "hatch", "energy", "step", "process", "cycle", "stirring", "injection", "coating", "dyeing", "casting", "condition",
    "forming", "treatment", "application", "collector", "needle", "days", "rpm",
)  # fmt: skip
COMPOSITION = (
    "cement", "water", "slag", "ash", "aggregate", "binder", "filler", "plasticizer", "superplasticizer", "resin", "solvent", "salt", "sand",
    "silica", "alumina", "starch", "polymer", "monomer", "glass", "carbon", "ratio", "mix", "alloy", "catalyst", "compatibilizer", "hardener",
)  # fmt: skip
CURING = ("age", "curing")
IDENTIFIER = (
    "id",
    "no",
    "nr",
    "number",
    "sample",
    "specimen",
    "name",
    "code",
    "index",
    "label",
    "lot",
    "batch",
    "barcode",
    "run",
)
REFERENCE = ("doi", "reference", "references", "citation", "paper", "ref")
DATE = ("date", "day", "datetime", "timestamp")
NOTE = ("comment", "comments", "note", "notes", "remark", "remarks", "memo", "operator")
COUNT = ("count", "layers", "cycles", "passes", "repeats", "replicates", "steps")
TEMPERATURE = ("temperature", "temp", "t", "tg", "melting", "cooling", "annealing", "sintering", "calcination")
CHARGE = ("charge", "capacity", "coulomb")
HUMIDITY = ("humidity", "rh")

_INITIALS = "g kk n d tt r m b pp s ss  j jj ch k t p h".split(" ")
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split(" ")
_FINALS = " k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split(" ")
_FIRST, _LAST, _VOWEL_COUNT, _FINAL_COUNT = 0xAC00, 0xD7A3, 21, 28


def in_english(text: str) -> tuple[list[str], bool]:
    """Return the English words of a Korean text, and whether all of it was in the list; the rest is written in Latin letters."""
    words: list[str] = []
    rest, known = "", True
    text = unicodedata.normalize("NFC", text)
    place = 0
    while place < len(text):
        length = next((n for n in range(_LONGEST, 0, -1) if text[place : place + n] in KOREAN), 0)
        if length:
            words += [romanised(rest), *KOREAN[text[place : place + length]].split()]
            rest = ""
        else:
            rest += text[place]
            known = False
        place += length or 1
    return [word for word in (*words, romanised(rest)) if word], known


def romanised(text: str) -> str:
    """Return Hangul syllables in Latin letters, one by one (Revised Romanisation without sound changes); all else unchanged."""
    return "".join(_syllable(character) for character in text)


def says(words: list[str], known: tuple[str, ...]) -> bool:
    """Return whether one of the words is known, or begins as a known one of four letters or more does."""
    return any(word == one or (len(one) > 3 and word.startswith(one)) for word in words for one in known)


def _syllable(character: str) -> str:
    code = ord(character)
    if not _FIRST <= code <= _LAST:
        return character
    rest, final = divmod(code - _FIRST, _FINAL_COUNT)
    initial, vowel = divmod(rest, _VOWEL_COUNT)
    return _INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]
