"""The rights that each database user needs, read from the statements under ``sql/``; a folder is of a room."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from string import Template

import sqlglot
from sqlglot import exp

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.rollup.sums import SUMS

Rights = dict[str, set[str]]  # by table

MERGE_ROOMS = (
    "alerts",
    "enrich",
    "erase",
    "lake",
    "merge",
    "operate",
    "quality",
    "reports",
    "rollup",
)  # Airflow's tasks
STREAM_ROOMS = ("enrich",)
REBUILT, REPLACED = [f"rebuilt_{t}" for t in TABLES], [f"replaced_{t}" for t in TABLES]
ROLLUPS = [*(rollup.table for rollup in SUMS), "people_daily", "people_hourly"]
OF_TABLE = {  # what $table stands for, where it is not each reporting table
    "enrich/load": ["pin_cache"],
    "merge/delete": [*TABLES, *REBUILT],
    "merge/load": [*TABLES, *REBUILT],
    "merge/move_loaded": [*TABLES, *REBUILT],
    "erase/person": ["person_homes", "expired_logins"],
    "erase/replace": [],  # whatever has texts: see ``texts``
}
OF_THE_SCHEMA = {"alembic_version", "view_columns"}  # nobody's words get there
# Putting a rebuilt table in the place of another; MariaDB's RENAME and SingleStore's ALTER TABLE ask for the same.
EXCHANGE: Rights = {
    **{table: {"CREATE", "ALTER", "DROP", "INSERT"} for table in (*TABLES, *REBUILT)},
    **{table: {"CREATE", "DROP", "INSERT"} for table in REPLACED},
}


def of_merge(tables_with_text: Iterable[str]) -> Rights:
    """The tables that tasks change. An erasure takes ids out of all texts but those that the change feed reaches."""
    texts: Rights = {table: {"UPDATE"} for table in {*tables_with_text, *REBUILT, *REPLACED} - set(TABLES)}
    return together(of_rooms(MERGE_ROOMS), EXCHANGE, {t: w for t, w in texts.items() if t not in OF_THE_SCHEMA})


def of_rooms(rooms: Collection[str]) -> Rights:
    """The tables that the statements of these rooms change, without the work tables that they create."""
    files = [path for room in rooms for path in sorted((memsql.SQL_DIR / room).rglob("*.sql"))]
    trees = [tree for path in files for tree in _trees(path.relative_to(memsql.SQL_DIR).with_suffix("").as_posix())]
    work = {next(t.find_all(exp.Table)).name for t in trees if isinstance(t, exp.Create) and "TEMPORARY" in t.sql()}
    found = together(*({table: {word}} for tree in trees for table, word in _writes(tree)))
    return {table: words for table, words in found.items() if table not in work | {"stale_rows"}}


def together(*rights: Rights) -> Rights:
    """Their union."""
    found: Rights = defaultdict(set)
    for table, words in (item for one in rights for item in one.items()):
        found[table] |= words
    return dict(found)


def _trees(name: str) -> Iterator[exp.Expr]:
    text = memsql._read(name, "mariadb")
    used = [n for n, names in (("rollup", ROLLUPS), ("table", OF_TABLE.get(name, [*TABLES]))) if n in text]
    for how in ("added", "came", "left") if "{how}" in text else ("added",):
        for table in (ROLLUPS if "rollup" in used else OF_TABLE.get(name, [*TABLES])) if used else ["none"]:
            names = dict.fromkeys(("columns", "column", "keys", "time_column"), "a") | {"rollup": table, "table": table}
            body = Template(text).substitute(names, how=how)
            if body.startswith("LOAD DATA"):
                body = f"INSERT INTO {table} (a) VALUES (1)"  # for which sqlglot has no grammar
            if not body.startswith("RENAME"):  # EXCHANGE
                bound = re.sub(r"%\(\w+\)s", "1", re.sub(r"IN %\(\w+\)s", "IN (1)", body))
                yield from (tree for tree in sqlglot.parse(bound, dialect="mysql") if tree is not None)


def _writes(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    if isinstance(tree, exp.Insert):
        yield next(tree.find_all(exp.Table)).name, "INSERT"
        if tree.args.get("conflict"):
            yield next(tree.find_all(exp.Table)).name, "UPDATE"
    elif isinstance(tree, exp.Update):
        yield next(tree.find_all(exp.Table)).name, "UPDATE"
    elif isinstance(tree, exp.Delete):
        yield tree.this.name, "DELETE"
