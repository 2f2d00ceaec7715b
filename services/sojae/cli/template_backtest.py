"""`sojae template backtest`: what a proposed version would do to the records that are stored."""

import json
from dataclasses import asdict
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table

from sojae.adapters.stored_records import stored_records
from sojae.adapters.template_files import TemplateBook, packaged_folder, read_template
from sojae.cli.running import language
from sojae.domain.back_test import BackTest, Verdict
from sojae.domain.errors import TemplateError
from sojae.domain.issue import rule_text
from sojae.domain.template import Template
from sojae.domain.text import Text
from sojae.surroundings import Surroundings

SUMMARY = Text(
    ko="{template}: 저장된 기록 {records}건 · 새로 격리 {newly_quarantined} · 새로 접수 {newly_accepted} · 해독 못 함 {undecodable} "
    "(비교: {current})",
    en="{template}: {records} stored records · newly quarantined {newly_quarantined} · newly accepted {newly_accepted} · "
    "not decodable {undecodable} (compared with {current})",
)
NOT_ASKED = Text(
    ko="lineage·collection 규칙({rules})은 기록 하나를 격리하지 않으며 여기서 묻지 않습니다.",
    en="Rules of scope lineage and collection ({rules}) quarantine no record, and are not asked here.",
)


@click.command("backtest")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--store", help="Store to look at; unset = SOJAE_STORE__URI, else that of this home.")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON.")
def backtest(file: Path, store: str | None, as_json: bool) -> None:
    """Ask the template of FILE (…/PROJECT/STAGE/VERSION.avsc) of every stored record, and say what would become of them.

    제안한 템플릿을 저장된 모든 기록에 적용해, 발행하기 전에 규칙마다 몇 건이 격리되거나 표시될지 보여 줍니다.
    """
    around = Surroundings.read()
    book = around.templates()
    path = file.resolve()
    proposed = read_template(path, [path.parents[2], packaged_folder()])
    current = _current(book, proposed)
    test = BackTest(proposed, current)
    for records, undecodable in stored_records(
        store or around.store_uri, proposed.key.project, proposed.key.stage, book
    ):
        test.take(records)
        test.verdict.undecodable += undecodable
    if as_json:
        click.echo(json.dumps(_counts(test.verdict)))
    else:
        _print(test)


def _current(book: TemplateBook, proposed: Template) -> Template | None:
    """Return the newest version that is known of the same project and stage, before the proposed one."""
    try:
        return book.get(proposed.key.project, proposed.key.stage)
    except TemplateError:
        return None


def _print(test: BackTest) -> None:
    said, verdict, proposed = language(), test.verdict, test.proposed
    table = Table("rule", "institute", "quarantined", "flagged", "now", "example", "", box=None, pad_edge=False)
    for (rule, institute), count in sorted(verdict.rules.items()):
        example = count.examples[0] if count.examples else None
        shown = f"{example.record_id}: {example.field} {example.got} ({example.expected})" if example else "–"
        text = rule_text(rule, proposed)[said]
        table.add_row(rule, institute, str(count.quarantined), str(count.flagged), str(count.before), shown, text)
    if verdict.rules:
        Console(width=200).print(table)
    joined = [rule.id for rule in proposed.rules if rule.scope != "record"]
    if joined:
        click.echo(NOT_ASKED.format(rules=", ".join(joined))[said])
    names = {"template": str(proposed.key), "current": "–" if test.current is None else str(test.current.key)}
    numbers = {
        name: str(getattr(verdict, name)) for name in ("records", "newly_quarantined", "newly_accepted", "undecodable")
    }
    click.echo(SUMMARY.format(**names, **numbers)[said])


def _counts(verdict: Verdict) -> dict[str, object]:
    return {
        "records": verdict.records,
        "undecodable": verdict.undecodable,
        "newly_quarantined": verdict.newly_quarantined,
        "newly_accepted": verdict.newly_accepted,
        "rules": [
            {"rule": rule, "institute": who, **asdict(count)} for (rule, who), count in sorted(verdict.rules.items())
        ],
    }
