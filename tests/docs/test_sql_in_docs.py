"""Every query that a document tells people to run is one that the reporting database can answer."""

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from tests.support.generated import ROOT

ON_A_SERVER = ROOT / "docs" / "questions.md"  # tests/sql runs them; sqlglot knows no STRAIGHT_JOIN
PAGES = (ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {ON_A_SERVER}))
SHOWN = re.compile(r"^( *)```sql\n(.*?)^\1```", flags=re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(SELECT [^`…]+)`")


def _queries() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        text = page.read_text()
        blocks = [textwrap.dedent(block) for _, block in SHOWN.findall(text)]
        for block in (*blocks, *INLINE.findall(text)):
            yield from ((page, query.strip()) for query in block.split(";\n") if query.strip())


QUERIES = list(_queries())


@cache
def _schema() -> dict[str, dict[str, str]]:
    """Columns of every table and view that the migrations make."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "sql" / "schema").glob("*.sql")):
        mariadb = re.sub(r"^\s*--mariadb: ", "", path.read_text(), flags=re.MULTILINE)
        plain = re.sub(r"^\s*--.*$", "", mariadb, flags=re.MULTILINE)
        for table, body in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)^\)", plain, re.DOTALL | re.MULTILINE):
            found[table] = dict(re.findall(r"^    ([a-z_]+) ([A-Z]+)", body, re.MULTILINE))
        for table, column, type_ in re.findall(
            r"^ALTER TABLE (\w+)\s+ADD COLUMN (?:IF NOT EXISTS )?(\w+) ([A-Z]+)", plain, re.MULTILINE
        ):
            found[table][column] = type_
        for view, body in re.findall(r"^(?:CREATE )?VIEW (\w+) AS\n(.*?);", plain, re.DOTALL | re.MULTILINE):
            select = sqlglot.parse_one(body, dialect="mysql")
            assert isinstance(select, exp.Query)
            found[view] = dict.fromkeys(select.named_selects, "TEXT")
    return found


def problem(query: str) -> str | None:
    """Why the query can't be answered; None when it can."""
    if query.startswith("SHOW "):
        table = query.rstrip(";").split()[-1]
        return None if table in _schema() else f"no table {table}"
    try:
        sqlglot.parse_one(query, dialect="singlestore")
        tree = sqlglot.parse_one(query, dialect="mysql")
        unknown = {table.name for table in tree.find_all(exp.Table)} - set(_schema())
        if unknown:
            return f"no table {', '.join(sorted(unknown))}"
        qualify(tree, schema={**_schema()}, dialect="mysql")
    except SqlglotError as error:
        return str(error)
    return None


def test_the_database_can_answer_it(subtests: pytest.Subtests) -> None:
    for page, query in QUERIES:
        with subtests.test(page.name):
            assert problem(query) is None, query


def test_there_are_queries_and_tables() -> None:
    assert {page.name for page, _ in QUERIES} >= {"README.md", "merge_events.md", "release_slice.md"}
    assert {"repins", "merge_slices", "brand_daily"} <= set(_schema())


@pytest.mark.parametrize(
    "query",
    ["SELECT nope FROM repins", "SELECT slice_id FROM nope", "SELECT FROM WHERE", "SHOW FULL COLUMNS FROM nope;"],
)
def test_a_query_that_can_not_be_answered_is_noticed(query: str) -> None:
    assert problem(query) is not None
