"""Cells of a data file become typed values."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.adapters.template_files import load_templates
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_cells import CellRefusedError, CellValue, read_cell
from sojae.domain.mapping_plan import ColumnPlan

BOOK = load_templates()
SEOUL = ZoneInfo("Asia/Seoul")


def column(field: str, **settings: str) -> ColumnPlan:
    entries = "\n".join(f"{k} = {v if v.startswith(('{', '[')) else repr(v)}" for k, v in settings.items())
    text = f"""
        project = "high_entropy_alloy"
        key = ["no"]
        [defaults]
        origin = "experiment"
        [[columns]]
        name = "YS"
        field = "property.elongation"
        unit = "%"
        [[columns]]
        name = "X"
        field = "{field}"
        {entries}
    """
    return next(c for r in read_mapping(text, "t", BOOK).records for c in r.columns if c.name == "X")


def read(field: str, text: str | None, **settings: str) -> CellValue | None:
    return read_cell(column(field, **settings), text, SEOUL)


def test_a_number_is_converted_and_kept_as_typed() -> None:
    """A value in another unit is converted, and stands beside it as it was typed."""
    assert read("property.yield_strength", " 0.52 ", unit="GPa") == CellValue(520.0, as_reported="0.52 GPa")


def test_a_number_in_its_own_unit_is_not_repeated() -> None:
    """Nothing is kept as typed where nothing was changed."""
    assert read("property.yield_strength", "520", unit="MPa") == CellValue(520.0)


@pytest.mark.parametrize("text", [None, "", "  ", "N/A", "-", "–"])
def test_words_for_nothing_are_nothing(text: str | None) -> None:
    """An empty cell and the words for one are no value."""
    assert read("property.yield_strength", text, unit="MPa") is None


def test_words_for_nothing_can_be_named() -> None:
    """A column has its own words for nothing."""
    assert read("property.phases", "none", nulls='["none"]') is None


def test_a_value_map_replaces_a_cell() -> None:
    """A value map translates the words of the file, and an empty translation is no value."""
    words = '{ T = "tension", "?" = "" }'
    assert read("property.test_type", "T", values=words) == CellValue("tension", as_reported="T")
    assert read("property.test_type", "?", values=words) is None
    assert read("property.test_type", "tension", values=words) == CellValue("tension")


def test_a_formula_becomes_atomic_percent() -> None:
    """A formula is scaled to at%, and kept as typed."""
    value = read("composition.composition", "Al0.25 Co1 Fe1 Ni1")
    assert value is not None
    assert value.value == pytest.approx({"Al": 7.6923077, "Co": 30.7692308, "Fe": 30.7692308, "Ni": 30.7692308})
    assert value.as_reported == "Al0.25 Co1 Fe1 Ni1"


@pytest.mark.parametrize(
    ("text", "form", "moment", "precision"),
    [
        ("2021-03-01", None, dt.datetime(2021, 2, 28, 15, tzinfo=dt.UTC), "day"),
        ("2021-03-01 00:00:00", None, dt.datetime(2021, 2, 28, 15, tzinfo=dt.UTC), "day"),
        ("2021-03-01 14:05:09", None, dt.datetime(2021, 3, 1, 5, 5, 9, tzinfo=dt.UTC), "second"),
        ("2021-03-01T14:05:09.5+00:00", None, dt.datetime(2021, 3, 1, 14, 5, 9, 500000, tzinfo=dt.UTC), "microsecond"),
        ("1.3.2021", "%d.%m.%Y", dt.datetime(2021, 2, 28, 15, tzinfo=dt.UTC), "day"),
        ("2014", "%Y", dt.datetime(2013, 12, 31, 15, tzinfo=dt.UTC), "year"),
        ("2021-03-01 00:00:00", "%d.%m.%Y", dt.datetime(2021, 2, 28, 15, tzinfo=dt.UTC), "day"),
        ("2021-03-01 14:05:09", "%Y-%m-%d", dt.datetime(2021, 3, 1, 5, 5, 9, tzinfo=dt.UTC), "second"),
        ("2021-03-01 14:05:09", "%Y-%d-%m %H:%M:%S", dt.datetime(2021, 1, 3, 5, 5, 9, tzinfo=dt.UTC), "second"),
        ("2021년 3월", "%Y년 %m월", dt.datetime(2021, 2, 28, 15, tzinfo=dt.UTC), "month"),
    ],
)
def test_dates_know_their_precision(text: str, form: str | None, moment: dt.datetime, precision: str) -> None:
    """A date is read in the file's time zone, stored in UTC, and says how exact it is; a date cell needs no format."""
    settings = {} if form is None else {"format": form}
    assert read("header.event_time", text, **settings) == CellValue(moment, precision=precision)


@pytest.mark.parametrize(
    "typed",
    [
        "10.1000/182",
        "https://doi.org/10.1000/182",
        "http://dx.doi.org/10.1000/182",
        "doi: 10.1000/182",
        " DOI:10.1000/182 ",
    ],
)
def test_a_doi_is_stored_bare(typed: str) -> None:
    """The spellings of a DOI are one reference."""
    value = read("header.references", typed, parse="doi")
    assert value is not None
    assert value.value == ["10.1000/182"]


def test_a_list_is_split() -> None:
    """A cell of several texts is split at the separator."""
    assert read("header.generated_by", "A; B;", separator=";") == CellValue(["A", "B"], as_reported=None)


@pytest.mark.parametrize(
    ("field", "text", "settings"),
    [
        ("property.yield_strength", "15-25", {"unit": "MPa"}),
        ("property.yield_strength", "1,234", {"unit": "MPa"}),
        ("property.yield_strength", "520 °C", {"unit": "MPa"}),
        ("property.yield_strength", "#Div0", {"unit": "MPa"}),
        ("composition.composition", "Fe*2", {}),
        ("header.event_time", "yesterday", {}),
        ("header.event_time", "2021-02-30", {}),
        ("header.references", "Smith 2020", {"parse": "doi"}),
        ("header.retracted", "maybe", {}),
    ],
)
def test_a_cell_that_cannot_be_read_says_what_could(field: str, text: str, settings: dict[str, str]) -> None:
    """What cannot be read is refused with what was expected, in both languages."""
    with pytest.raises(CellRefusedError) as caught:
        read(field, text, **settings)
    assert caught.value.expected.en
    assert caught.value.expected.ko


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("520 MPa", CellValue(520.0, as_reported="520 MPa")),
        ("0.52 GPa", CellValue(520.0, as_reported="0.52 GPa")),
        ("<520", CellValue(520.0, as_reported="<520 MPa", qualifier="<")),
        ("≥ 0.52 GPa", CellValue(520.0, as_reported="≥ 0.52 GPa", qualifier=">")),
        ("약 520", CellValue(520.0, as_reported="약 520 MPa", qualifier="≈")),
        ("520 ± 12", CellValue(520.0, as_reported="520 ± 12 MPa", uncertainty=12.0)),
        ("0.520(12) GPa", CellValue(520.0, as_reported="0.520(12) GPa", uncertainty=12.0)),
    ],
)
def test_what_stands_beside_a_number_is_kept(text: str, expected: CellValue) -> None:
    """A unit of the cell's own converts, a sign and an uncertainty are kept, and the text stays as it was typed."""
    value = read("property.yield_strength", text, unit="MPa")
    assert value is not None
    assert (value.value, value.uncertainty) == (pytest.approx(expected.value), pytest.approx(expected.uncertainty))
    assert (value.as_reported, value.qualifier) == (expected.as_reported, expected.qualifier)


@pytest.mark.parametrize(("end", "value"), [("low", 15.0), ("middle", 20.0), ("high", 25.0)])
def test_an_interval_is_read_where_the_mapping_says_which_end(end: str, value: float) -> None:
    """What `15-25` means is the mapping's to say; a single number is itself."""
    assert read("property.elastic_modulus", "15-25", unit="GPa", interval=end) == CellValue(
        value, as_reported="15-25 GPa"
    )
    assert read("property.elastic_modulus", "15", unit="GPa", interval=end) == CellValue(15.0)


def test_an_address_without_a_doi_can_be_kept() -> None:
    """As a reference it stays as it is; a DOI inside an address is made bare."""
    typed = "https://example.org/article/pii/S09; https://pubs.example.org/doi/10.1000%2F182?x=1"
    value = read("header.references", typed, parse="reference")
    assert value is not None
    assert value.value == ["https://example.org/article/pii/S09", "10.1000/182"]


@given(st.text(max_size=60))
def test_any_cell_is_a_value_or_refused(text: str) -> None:
    """No text makes the reading of a cell fail in another way."""
    for plan in PLANS:
        try:
            value = read_cell(plan, text, SEOUL)
        except CellRefusedError:
            continue
        assert value is None or value.value is not None


PLANS = [
    column("property.yield_strength", unit="ksi"),
    column("composition.composition"),
    column("header.event_time"),
    column("header.references", parse="doi"),
    column("header.retracted"),
]


@pytest.mark.parametrize(
    ("text", "zone"),
    [("0001-01-01", "Asia/Seoul"), ("9999-12-31 23:00", "America/New_York"), ("0001-01-01T00:00+09:00", "UTC")],
)
def test_a_date_beyond_the_calendar_is_refused(text: str, zone: str) -> None:
    """In UTC it would lie before year 1 or after year 9999."""
    with pytest.raises(CellRefusedError, match="years 1 to 9999"):
        read_cell(column("header.event_time"), text, ZoneInfo(zone))
