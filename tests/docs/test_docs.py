"""The documents say what the code says: settings, Dags, links, make targets, decision records."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.alerts.catalogue import ALERTS, Alert
from pinwheel.core.contract import LAKE_COLUMNS, DeadReason
from pinwheel.generate.defects import DEFECTS
from tests.support.generated import GENERATED, REFRESH, ROOT, setting_names

PAGES = sorted(p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PARTS_OF_AN_ADR = ("## Context", "## Decision", "## Consequences", "## A change violates this when")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OTHER_VARIABLES = {  # read or set outside the settings classes
    "PINWHEEL_CONNECTIONS",
    "PINWHEEL_STREAM_MEMSQL_USER",
    "PINWHEEL_STREAM_MEMSQL_PASSWORD",
    "PINWHEEL_REPORT_MEMSQL_USER",
    "PINWHEEL_REPORT_MEMSQL_PASSWORD",
    "PINWHEEL_ANALYST_MEMSQL_USER",
    "PINWHEEL_AIRFLOW_DATABASE_URL",
    "PINWHEEL_REPORT_CRON",
    "PINWHEEL_UPDATE_GOLDEN",
    "PINWHEEL_SHOW_MESSAGES",
}


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(page: Path) -> str:
    """The text without code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("target", GENERATED)
def test_generated_documents_are_up_to_date(target: str) -> None:
    assert (ROOT / target).read_text() == GENERATED[target](), f"refresh it: {REFRESH}"


def test_every_relative_link_leads_somewhere(subtests: pytest.Subtests) -> None:
    for page in PAGES:
        with subtests.test(_id(page)):
            dead = [link for link in LINK.findall(_prose(page)) if not _leads_somewhere(page, link)]
            assert dead == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """Headings as GitHub links them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def _make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_make_target_that_is_named_exists(subtests: pytest.Subtests) -> None:
    for page in PAGES:
        with subtests.test(_id(page)):
            named = set(re.findall(r"(?:`|^ *|; |&& )make ([a-z-]+)", page.read_text(), flags=re.MULTILINE))
            assert named - _make_targets() == set()


def test_the_readme_names_every_make_target() -> None:
    assert {t for t in _make_targets() if f"make {t}" not in (ROOT / "README.md").read_text()} == set()


def test_every_setting_that_is_named_exists(subtests: pytest.Subtests) -> None:
    for page in PAGES:
        with subtests.test(_id(page)):
            named = set(re.findall(r"(?<![A-Z_])PINWHEEL_[A-Z0-9_]*[A-Z0-9]", page.read_text()))
            assert named - setting_names() - OTHER_VARIABLES == set()


def test_a_decision_says_how_to_notice_that_it_is_broken(subtests: pytest.Subtests) -> None:
    for page in ADRS:
        with subtests.test(_id(page)):
            text = page.read_text()
            assert text.startswith(f"# {page.name[:4]}: ")
            assert [part for part in PARTS_OF_AN_ADR if not re.search(rf"^{part}\n\n.", text, flags=re.MULTILINE)] == []
            assert f"({page.name})" in (page.parent / "README.md").read_text(), "in the list of decisions"


def test_decisions_are_numbered_without_gap() -> None:
    assert [int(page.name[:4]) for page in ADRS] == list(range(1, len(ADRS) + 1))
    assert ADRS


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_every_alert_is_in_its_runbook(alert: Alert) -> None:
    assert f"`{alert.name}`" in (ROOT / alert.runbook).read_text()


def test_the_architecture_names_every_dead_reason_and_lake_column() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [reason.value for reason in DeadReason if f"`{reason.value}`" not in text] == []
    assert [column.name for column in LAKE_COLUMNS if f"`{column.name}`" not in text] == []


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_is_explained(name: str) -> None:
    assert f"| `{name}` | {DEFECTS[name].meaning} |" in (ROOT / "docs" / "quality.md").read_text()


SOURCE_PATH = re.compile(r"`((?:dags|docs|expectations|pinwheel|spark_jobs|sql|tests)/[\w./-]+)`")


def _named_paths(page: Path) -> Iterator[str]:
    yield from (path for path in SOURCE_PATH.findall(page.read_text()) if not re.search(r"NNNN|<", path))


def test_every_file_that_is_named_exists(subtests: pytest.Subtests) -> None:
    for page in PAGES:
        with subtests.test(_id(page)):
            assert [path for path in _named_paths(page) if not (ROOT / path).exists()] == []
