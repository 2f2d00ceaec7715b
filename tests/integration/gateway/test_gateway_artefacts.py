"""What is derived from templates, over HTTP: the same as the commands give."""

import io
from dataclasses import asdict
from typing import Any

import openpyxl
import pytest
from litestar.testing import TestClient

from sojae.adapters.workbook_writer import csv_text
from sojae.domain.entry_form import entry_form
from sojae.domain.json_schema import json_schema
from sojae.domain.store_columns import store_columns
from sojae.domain.template import STAGES
from sojae.domain.workbook_layout import INFO_SHEET, layout
from tests.gateway_app import refusal
from tests.gateway_parts import book

PROCESS = "/v1/templates/high_entropy_alloy/process/1.0"


def test_json_schema_form_and_columns(client: TestClient) -> None:
    """Each is made of the template that is asked for."""
    one = book().get("high_entropy_alloy", "process")
    schema = client.get(f"{PROCESS}/json-schema")
    assert schema.headers["content-type"] == "application/schema+json"
    assert schema.json() == json_schema(one)
    form: Any = client.get(f"{PROCESS}/form").json()
    assert form["sha256"] == one.sha256
    assert [s["id"] for s in form["sections"]] == [s.id for s in entry_form(one).sections]
    assert form["sections"][1]["fields"][0]["label"] == asdict(entry_form(one).sections[1].fields[0].label)
    columns = client.get(f"{PROCESS}/columns").json()
    assert columns["table"] == "records/high_entropy_alloy/process/1"
    assert [(c["name"], c["type"], c["unit"]) for c in columns["columns"]] == [
        (c.name, str(c.type), c.unit) for c in store_columns([one])
    ]


def test_a_workbook_and_a_csv_file_to_fill_in(client: TestClient) -> None:
    """In the language that is asked for, else the one that the caller reads."""
    answer = client.get("/v1/projects/high_entropy_alloy/workbook", params={"language": "ko"})
    assert answer.headers["content-disposition"] == 'attachment; filename="high_entropy_alloy.xlsx"'
    workbook = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert workbook.sheetnames == [*STAGES, INFO_SHEET]
    one = book().get("high_entropy_alloy", "process")
    assert [c.value for c in workbook["process"][2]] == [c.key for c in layout(one)]
    assert workbook["process"]["A1"].value == "시편·로트 이름 *"
    korean = client.get(f"{PROCESS}/csv", headers={"accept-language": "ko-KR,en"})
    assert korean.content.decode() == csv_text(one, "ko")
    assert client.get(f"{PROCESS}/csv").content.decode() == csv_text(one, "en")
    assert client.get("/v1/projects/high_entropy_alloy/workbook", params={"language": "ko"}).content == answer.content


@pytest.mark.parametrize("kind", ["json-schema", "form", "columns", "csv"])
def test_of_no_template_there_is_nothing(client: TestClient, kind: str) -> None:
    """It is refused with what there is."""
    answer = client.get(f"/v1/templates/high_entropy_alloy/process/9.9/{kind}")
    assert refusal(answer)[:2] == (404, "unknown_template")


def test_what_cannot_be_is_refused(client: TestClient) -> None:
    """Another language, another project, another parameter."""
    assert refusal(client.get(f"{PROCESS}/csv", params={"language": "fr"}))[0] == 422
    assert refusal(client.get("/v1/projects/nothing/workbook"))[:2] == (404, "unknown_project")
    assert refusal(client.get("/v1/projects/high_entropy_alloy/workbook", params={"lang": "ko"}))[0] == 400
