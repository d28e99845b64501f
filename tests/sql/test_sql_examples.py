"""docs/sql.md shows the real outputs of its queries. PINWHEEL_REFRESH_DOCS=1 rewrites it."""

import os
import re
from pathlib import Path

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from tests.support.sql_examples import QUERY, day, with_outputs
from tests.support.types import MergeEvents, Query

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sql.md"
QUESTIONS = PAGE.with_name("questions.md")
SHOWN = re.compile(r"```sql\n(.*?)```|`(SELECT [^`…]+)`", re.DOTALL)
BRANDS = [
    {"brand_id": 1, "name": "Copper Kitchen", "contact": None},
    {"brand_id": 2, "name": "Moss & Stone", "contact": None},
]


def test_every_output_is_what_the_database_answers(merged: MergeEvents, connection: Connection, query: Query) -> None:
    memsql.execute_many(connection, "generate/upsert_brands", BRANDS)
    connection.commit()
    merged(day())
    text = PAGE.read_text()
    shown = with_outputs(text, query)
    if os.environ.get("PINWHEEL_REFRESH_DOCS"):
        PAGE.write_text(shown)
    assert len(QUERY.findall(text)) >= 7
    assert shown == PAGE.read_text()


def test_every_report_is_named() -> None:
    text = PAGE.read_text()
    assert [p.stem for p in (memsql.SQL_DIR / "questions").glob("*.sql") if f"`{p.stem}`" not in text] == []


def test_every_statement_can_be_pasted_as_it_stands(analyst: Connection, subtests: pytest.Subtests) -> None:
    shown = [block or inline for page in (PAGE, QUESTIONS) for block, inline in SHOWN.findall(page.read_text())]
    assert len(shown) >= 7 + len(list((memsql.SQL_DIR / "questions").glob("*.sql")))
    for statement in shown:
        with subtests.test(statement[:60]), analyst.cursor() as cursor:
            cursor.execute(statement)
            cursor.fetchall()
