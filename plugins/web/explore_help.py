"""Help next to the editor of Explore: the dictionary, and questions that run as they are."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pymysql.converters import escape_item

from pinwheel.clients import memsql
from pinwheel.clients.memsql import SQL_DIR, Connection, Row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sql.md"
GRAINS = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| (.+) \|$", re.MULTILINE)  # its table of views
HEADER = re.compile(r"^-- (\w+): +(.+)$", re.MULTILINE)


class TableColumn(BaseModel):
    """A column: its SQL type, and what it means."""

    name: str
    type: str
    meaning: str


class Table(BaseModel):
    """A table or a view. ``about``: what one row is, or what the table is."""

    name: str
    is_view: bool
    about: str
    columns: list[TableColumn]


class Question(BaseModel):
    """A file of ``sql/questions/``, as SQL that runs as it is."""

    name: str
    purpose: str
    grain: str
    sql: str


def dictionary(connection: Connection) -> list[Table]:
    """Everything that the connection's user may read."""
    known = grains()
    rows = memsql.fetch(connection, "pages/explore_columns")
    return [_table(name, list(columns), known) for name, columns in groupby(rows, key=lambda row: str(row["name"]))]


def _table(name: str, rows: list[Row], known: Mapping[str, str]) -> Table:
    about = f"One row per {known[name]}" if name in known else rows[0]["about"]
    columns = [TableColumn(name=r["column_name"], type=r["column_type"], meaning=r["meaning"]) for r in rows]
    return Table(name=name, is_view=bool(rows[0]["is_view"]), about=about, columns=columns)


def grains() -> dict[str, str]:
    """The rows of each view, by its name. A view can't have a comment, so docs/sql.md says it."""
    views, _, _ = DOCUMENT.read_text().partition("\n## Reports")
    found = GRAINS.findall(views)
    return {name: grain for names, grain in found for name in re.findall(r"\w+", names)}


def questions(connection: Connection) -> list[Question]:
    """The questions, about the newest day that has events."""
    (known,) = memsql.fetch(connection, "pages/explore_examples")
    values = examples(known["newest"] or datetime.now(UTC), known["brand_id"] or 1, known["category"] or "travel")
    return [question(path, connection.engine, values) for path in sorted((SQL_DIR / "questions").glob("*.sql"))]


def question(path: Path, engine: str, values: Mapping[str, Any]) -> Question:
    """One question, with ``values`` in place of its parameters."""
    header = dict(HEADER.findall(path.read_text()))
    literals = {name: _literal(value) for name, value in values.items()}
    sql = memsql.statement(f"questions/{path.stem}", engine) % literals
    text = f"-- {header['purpose']}\n{sql};\n"
    return Question(name=path.stem, purpose=header["purpose"], grain=header["grain"], sql=text)


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))})"
    return str(escape_item(value, "utf8mb4"))


def examples(newest: datetime, brand_id: int, category: str) -> dict[str, Any]:
    """A value for each parameter of the questions: the day of the newest event, the week before it, one brand."""
    hour = newest.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return {
        "from_time": hour - timedelta(hours=23),
        "to_time": hour + timedelta(hours=1),
        "as_of": hour + timedelta(hours=1),
        "day": hour.date(),
        "from_day": hour.date() - timedelta(days=6),
        "to_day": hour.date() + timedelta(days=1),
        "brand_id": brand_id,
        "kind": "category",
        "items": (category,),
        "top": 10,
        "all_brands": 1,
        "brands": (brand_id,),
    }
