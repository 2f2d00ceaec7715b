"""What the rules of scope lineage and collection of a template would find in all that a store holds of its project."""

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from sojae.adapters.materials_source import project_records
from sojae.adapters.template_files import TemplateBook
from sojae.domain.back_test import Example
from sojae.domain.joined_rules import RULE_ERROR
from sojae.domain.template import STAGES, Template

_COLUMN = re.compile(rf"\b(?:{'|'.join(STAGES)})__\w+")
BATCH_ROWS = 10_000


def has_joined_rules(template: Template | None) -> bool:
    """Return whether a template has a rule that looks at more than one record."""
    return template is not None and any(rule.scope != "record" for rule in template.rules)


def view_findings(store_uri: str, book: TemplateBook, template: Template) -> list[tuple[str, Example]] | None:
    """Return (rule, example) for each row of the materials view that a rule over several records finds.

    The view is built in memory, as the refresh of the store builds it, with `template` as the newest of its stage. None
    when the store has no records of a property yet, so that no such rule can be asked; raises StoreError.
    """
    key = template.key
    others = [t for t in book if t.key[:2] != key[:2] or t.key.number < key.number]
    records = project_records(store_uri, TemplateBook([*others, template]), key.project)
    if not records.has_properties():
        return None
    return list(_findings(records.view(-1), template))


def _findings(view: pa.Table, template: Template) -> Iterator[tuple[str, Example]]:
    says = {rule.id: rule.says for rule in template.rules if rule.scope != "record"} | {RULE_ERROR: ""}
    named = {rule: _named(text, view.column_names) for rule, text in says.items()}
    wanted = ["institute", "record_id", "findings", *dict.fromkeys(n for names in named.values() for n in names)]
    for batch in view.select(wanted).to_batches(max_chunksize=BATCH_ROWS):
        for row in batch.to_pylist():
            for rule in row["findings"]:
                if rule in says:
                    got = "; ".join(f"{name} = {_shown(row[name])}" for name in named[rule])
                    fields = ", ".join(named[rule]) or None
                    yield rule, Example(row["institute"], row["record_id"], fields, got[:512], says[rule])


def _named(text: str, there: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(_COLUMN.findall(text)) if name in there]


def _shown(value: object) -> str:
    return format(value, ".12g") if isinstance(value, float) else str(value)[:64]
