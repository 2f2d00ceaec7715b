"""What the pages say is what the code does: settings, rules, topics, metrics, commands and links."""

import ast
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from sojae import topics
from sojae.cli.reference import pages as generated
from sojae.cli.reference import scraped_names
from sojae.domain.issue import RULES
from sojae.domain.quantity import ucum_code
from sojae.domain.template import Template
from sojae.settings import known_names
from sojae_monitor.reasons import SET_ASIDE
from tests.builders import templates
from tests.contract.sources import REPOSITORY, SERVICES, modules, name_of, packages, pages, tree

REFERENCE = REPOSITORY / "docs" / "reference"
HEADINGS = ["Consumes", "Produces", "Settings", "Metrics", "When it fails"]
HANGUL = re.compile(r"[가-힣]")
SERVICE_PACKAGES = [p for p in packages() if p != "sojae"]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def page_name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("name", sorted(generated()))
def test_generated_pages_are_up_to_date(name: str) -> None:
    """`make reference` writes them."""
    assert text(REFERENCE / name) == generated()[name]


@pytest.mark.parametrize("service", SERVICE_PACKAGES)
def test_a_service_s_page_has_the_five_headings(service: str) -> None:
    """In the same words everywhere."""
    assert re.findall(r"^## (.+)$", text(SERVICES / service / "README.md"), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("service", SERVICE_PACKAGES)
def test_a_service_s_page_names_its_metrics(service: str) -> None:
    """All of them, and no other."""
    section = text(SERVICES / service / "README.md").split("## Metrics")[1].split("## When it fails")[0]
    assert set(re.findall(r"`(sojae_[a-z_]+)", section)) - set(packages()) == set(scraped_names(service))


def test_the_monitor_s_page_names_every_reason_for_setting_aside() -> None:
    """With what each counts, in the code's words."""
    page = text(SERVICES / "sojae_monitor" / "README.md")
    assert [reason for reason, what in SET_ASIDE.items() if f"| `{reason}` | {what} |" not in page] == []


@pytest.mark.parametrize("page", pages(), ids=page_name)
def test_settings_on_pages_are_real(page: Path) -> None:
    """A renamed setting is renamed wherever it is spoken of; `SOJAE_X__*` means a group."""
    known = known_names()
    for name in re.findall(r"SOJAE_[A-Z_]+\*?", text(page)):
        if name.endswith(("*", "_")):
            assert any(k.startswith(name.rstrip("*")) for k in known), name
        else:
            assert name in known, name


@pytest.mark.parametrize("page", pages(), ids=page_name)
def test_commands_on_pages_are_real(page: Path) -> None:
    """`sojae x` and `make x`."""
    commands = {e.name for e in entry_points(group="sojae.commands")}
    assert set(re.findall(r"`sojae ([a-z][a-z-]*)", text(page))) - commands == set()
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", text(REPOSITORY / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z][a-z-]*)", text(page))) - targets == set()


@pytest.mark.parametrize("page", pages(), ids=page_name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Relative ones; others are not followed."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(page)):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def test_every_topic_is_on_the_page() -> None:
    """Names and message headers are those of the code."""
    page = text(REFERENCE / "topics.md")
    constants = {n: v for n, v in vars(topics).items() if n.isupper() and isinstance(v, str)}
    assert {n for n, v in constants.items() if v not in page} == set()


def test_the_development_commands_are_listed() -> None:
    """Make without a target names each target that is meant for people."""
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", text(REPOSITORY / "Makefile"), re.MULTILINE))
    assert {"run", "test", "unit", "mutants", "reference", "lint"} <= listed


def speaks_both(ko: str, en: str) -> bool:
    return bool(HANGUL.search(ko)) and bool(re.search(r"[a-z]{2}", en)) and not HANGUL.search(en)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_built_in_rules_speak_both_languages(rule: str) -> None:
    """Whoever sent the event reads one of them."""
    assert speaks_both(RULES[rule].ko, RULES[rule].en)


@pytest.mark.parametrize("template", templates(), ids=lambda t: str(t.key))
def test_templates_speak_both_languages(template: Template) -> None:
    """Their rules and labels; a rule says where it comes from, and takes no built-in rule's name."""
    for rule in template.rules:
        assert speaks_both(rule.message.ko, rule.message.en), rule.id
        assert rule.source, rule.id
        assert rule.id not in RULES
    assert template.label.ko != template.label.en
    assert [f.name for f in template.fields if not f.label.ko or not f.label.en or f.label.en == f.name] == []


@pytest.mark.parametrize("template", templates(), ids=lambda t: str(t.key))
def test_units_of_templates_are_ucum(template: Template) -> None:
    """The codes themselves, not a spelling of them; every number has one."""
    for field in (*template.fields, *template.header_fields):
        if field.unit is not None:
            assert ucum_code(field.unit) == field.unit, field.name
    assert [f.name for f in template.fields if f.kind == "double" and f.unit is None] == []


def issue_ids(path: Path) -> set[str]:
    """Return the rule ids that a file makes findings of."""
    makers = {"Issue", "_refused"}
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in makers and node.args:
            first = node.args[0]
            if (
                isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and re.fullmatch(r"[a-z]+(_[a-z]+)*", first.value)
            ):
                found.add(first.value)
    return found


FINDERS = [p for p in modules() if "sojae.domain.issue" in text(p) and "Issue" in text(p)]


@pytest.mark.parametrize("path", FINDERS, ids=name_of)
def test_findings_have_a_sentence(path: Path) -> None:
    """A rule id without words would reach people as a bare name."""
    assert issue_ids(path) - set(RULES) == set()


def test_every_sentence_belongs_to_a_finding() -> None:
    """What no code finds any more is not explained."""
    made = set().union(*(issue_ids(p) for p in FINDERS))
    assert set(RULES) - made - {"same_event_id"} == set()
