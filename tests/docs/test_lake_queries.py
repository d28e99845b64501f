"""docs/lake-queries.md shows what its snippets print on a lake. PINWHEEL_REFRESH_DOCS=1 rewrites it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pinwheel.core.contract import LAKE_COLUMNS
from tests.support.generated import ROOT
from tests.support.lakes import event, land, make
from tests.support.sql_examples import day

PAGE = ROOT / "docs" / "lake-queries.md"
SNIPPET = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
TRINO = re.compile(r"```trino\n(.*?)```", re.DOTALL)
BETWEEN = "-- next snippet --"


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """The day of docs/sql.md, with a redelivery, a dead letter, and a field outside the contract."""
    rows = day()
    repin = next(row for row in rows if row["event_type"] == "repin")
    repin["extra"] = json.dumps({"campaign": "spring"})
    letter = {"user_id": None, "dead_reason": "not_json", "dead_detail": "no JSON", "dead_value": b"{"}
    uri = make(tmp_path)
    land(uri, [*rows, repin | {"kafka_offset": 998}, event("dead_letter", None, 999, **letter)])
    return uri


def printed(snippets: list[str], lake: str) -> Iterator[str]:
    """The output of each; they run one after the other, in a process of their own."""
    code = f"\nprint({BETWEEN!r})\n".join(snippets)
    env = os.environ | {"PINWHEEL_LAKE_URI": lake, "PYTHONPATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=lake)
    assert done.returncode == 0, done.stderr
    yield from (text.strip() for text in done.stdout.split(BETWEEN))


def test_every_output_is_what_the_lake_answers(lake: str) -> None:
    text = PAGE.read_text()
    answers = printed([code for code, _ in SNIPPET.findall(text)], lake)

    def with_output(found: re.Match[str]) -> str:
        output = next(answers)
        return f"```python\n{found[1]}```\n" + (f"\n```text\n{output}\n```\n" if output else "")

    shown = SNIPPET.sub(with_output, text)
    if os.environ.get("PINWHEEL_REFRESH_DOCS"):
        PAGE.write_text(shown)
    assert len(SNIPPET.findall(text)) >= 5
    assert shown == PAGE.read_text()


def test_what_is_for_trino_parses_and_names_columns_of_the_lake() -> None:
    statements = [tree for block in TRINO.findall(PAGE.read_text()) for tree in sqlglot.parse(block, dialect="trino")]
    queries = [tree for tree in statements if isinstance(tree, exp.Select)]
    assert len(queries) == 2
    for tree in queries:
        aliases = {alias.alias for alias in tree.find_all(exp.Alias)}
        assert {column.name for column in tree.find_all(exp.Column)} - aliases <= {c.name for c in LAKE_COLUMNS}
