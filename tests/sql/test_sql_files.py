"""Every .sql file: its header holds to its body, and both engines' parsers take it."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

import pytest
import sqlglot
from sqlglot import exp

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES, reporting_columns
from pinwheel.core.errors import MemsqlError, MissingPartError
from pinwheel.rollup.sums import SUMS
from tests.support.sql_files import HEADER, header

FILES = sorted(memsql.SQL_DIR.rglob("*.sql"))
DIALECT = {"mariadb": "mysql", "singlestore": "singlestore"}
PACKAGE = Path(memsql.__file__).parents[1]


def name(path: Path) -> str:
    """The name of a file in the code: its path under ``sql/``, without the extension."""
    return path.relative_to(memsql.SQL_DIR).with_suffix("").as_posix()


# sqlglot has no grammar for the others; a server runs them in tests/merge, tests/clients and tests/server.
PARSED = [path for path in FILES if path.stem not in ("load", "exchange") and path.parent.name != "grants"]


def identifiers(path: Path) -> list[dict[str, str | Sequence[str]]]:
    """The names that a file is rendered with: for each table or rollup that it may be about."""
    wanted = listed(header(path).get("names", ""))
    if "rollup" in wanted:
        known = [r for r in SUMS if r.people or path.stem != "add"]  # the others have statements of their own
        found = [
            {"rollup": r.table, "columns": [*r.keys, *r.counts], "keys": list(r.keys), "time_column": r.keys[-1]}
            | {"how": "added"}
            for r in known
        ]
    else:
        names = {t: [c.name for c in reporting_columns(k)] for t, k in TABLES.items()}
        found = [
            {"table": t, "columns": columns, "column": columns[0], "time_column": columns[0]}
            for t, columns in names.items()
        ]
    return [{k: v for k, v in values.items() if k in wanted} for values in found] if wanted else [{}]


def rendered(path: Path, engine: str, nth: int) -> str:
    """The file as sent to the server, with the nth of its ``identifiers``, its parameters bound to ``1``."""
    text = memsql.statement(name(path), engine, **identifiers(path)[nth])
    text = re.sub(r"IN %\(\w+\)s", "IN (1)", text)
    return re.sub(r"%\(\w+\)s", "1", text)


@cache
def parsed(path: Path, engine: str = "mariadb", nth: int = 0) -> list[exp.Expr]:
    return [s for s in sqlglot.parse(rendered(path, engine, nth), dialect=DIALECT[engine]) if s is not None]


def listed(text: str) -> set[str]:
    return {part.strip().split(" ")[0] for part in text.split(",")} - {"nothing", "none", ""}


def written(tree: exp.Expr) -> set[str]:
    """Tables that a statement changes or makes."""
    if isinstance(tree, exp.Drop) and tree.kind == "INDEX":
        return {tree.args["cluster"].this.name}
    if tree.find(exp.AlterRename):
        return {table.name for table in tree.find_all(exp.Table)}
    if isinstance(tree, exp.Insert | exp.Update | exp.Create | exp.Drop | exp.Alter):
        return {next(tree.find_all(exp.Table)).name}
    if isinstance(tree, exp.TruncateTable):
        return {tree.expressions[0].name}
    return {tree.this.name} if isinstance(tree, exp.Delete) else set()


def tables(tree: exp.Expr) -> set[str]:
    if isinstance(tree, exp.Drop) and tree.kind == "INDEX":
        return written(tree)
    aliases = {t.alias for t in tree.find_all(exp.Table, exp.CTE) if t.alias}
    return {t.name for t in tree.find_all(exp.Table)} - aliases


def test_header_is_complete_and_names_the_file(subtests: pytest.Subtests) -> None:
    for path in FILES:
        with subtests.test(name(path)):
            found = header(path)
            assert [k for k in found if k != "names"] == list(HEADER)
            assert found["name"] == name(path)


def test_two_definitions_of_the_same_name_each_other() -> None:
    same = {name(p): re.findall(r"^-- same as: (.+)$", p.read_text(), re.MULTILINE) for p in FILES}
    pairs = {(one, other) for one, lines in same.items() for line in lines for other in line.split(", ")}
    assert pairs
    assert pairs == {(other, one) for one, other in pairs}


@pytest.mark.parametrize("engine", DIALECT)
def test_parses_for_both_engines(engine: str, subtests: pytest.Subtests) -> None:
    for path in PARSED:
        with subtests.test(name(path)):
            for nth in range(len(identifiers(path))):
                for tree in parsed(path, engine, nth):
                    assert not isinstance(tree, exp.Command), f"not understood: {tree.sql()[:200]}"


# sqlglot parses a key that it does not know as a column of that name without a type: `SHRAD KEY (a)` parses.
OWN_KEYS = {"SHARD", "SORT"}


def own_keys(tree: exp.Expr) -> dict[str, list[str]]:
    """SingleStore's keys of a table, by kind, with their columns.

    Raises:
        AssertionError: a clause that is neither a column nor one of these.
    """
    found = {}
    for column in tree.find_all(exp.ColumnDef):
        if column.args.get("kind") is None:
            kind, key = column.name.upper(), column.find(exp.PrimaryKey)
            assert kind in OWN_KEYS, f"no clause of SingleStore: {column.sql()}"
            assert key is not None, f"a key needs its columns: {column.sql()}"
            assert len(list(column.find_all(exp.PrimaryKey))) == 1, f"a comma is missing: {column.sql()}"
            found[kind] = [part.name for part in key.find_all(exp.Identifier)]
    return found


def created(path: Path) -> list[exp.Create]:
    trees = parsed(path, "singlestore")
    return [t for t in trees if isinstance(t, exp.Create) and t.kind == "TABLE" and isinstance(t.this, exp.Schema)]


def test_singlestore_s_own_clauses(subtests: pytest.Subtests) -> None:
    """Every table says how it is spread; a unique key holds the shard key, or SingleStore refuses the table."""
    for path in sorted((memsql.SQL_DIR / "schema").glob("*.sql")):
        with subtests.test(path.stem):
            assert created(path) or "CREATE TABLE" not in path.read_text()
            for tree in created(path):
                keys, table = own_keys(tree), tree.this.this.name
                columns = {c.name for c in tree.find_all(exp.ColumnDef) if c.args.get("kind") is not None}
                primary = [k for k in tree.this.expressions if isinstance(k, exp.PrimaryKey)]
                unique = {part.name for key in primary for part in key.find_all(exp.Identifier)}
                assert keys.get("SHARD"), f"{table} has no SHARD KEY"
                assert set(keys["SHARD"]) <= unique, f"the primary key of {table} must contain its shard key"
                assert {part for parts in keys.values() for part in parts} | unique <= columns
                assert "nopad" not in tree.sql(), "a collation of MariaDB's"


@pytest.mark.parametrize(
    "clause", ["SHRAD KEY (a)", "SHARD KEY", "SHARD KEY (a) SORT KEY (b)", "CLUSTERED COLUMNSTORE"], ids=str
)
def test_a_wrong_clause_of_singlestore_is_found(clause: str) -> None:
    """Or the test above would prove nothing."""
    text = f"CREATE TABLE t (a INT, b INT, {clause}, PRIMARY KEY (a))"
    with pytest.raises((AssertionError, sqlglot.errors.ParseError)):
        own_keys(sqlglot.parse_one(text, dialect="singlestore"))


def test_no_view_is_replaced(subtests: pytest.Subtests) -> None:
    """SingleStore's CREATE VIEW has no OR REPLACE, though sqlglot takes it."""
    for path in PARSED:
        with subtests.test(name(path)):
            for engine in DIALECT:
                assert [t for t in parsed(path, engine) if isinstance(t, exp.Create) and t.args.get("replace")] == []


def test_header_names_what_the_body_reads_and_writes(subtests: pytest.Subtests) -> None:
    for path in PARSED:
        with subtests.test(name(path)):
            found = {k: Template(header(path)[k]).substitute(identifiers(path)[0]) for k in ("reads", "writes")}
            trees = [tree for engine in DIALECT for tree in parsed(path, engine)]
            writes = set().union(*(written(t) for t in trees))
            both = set().union(*(tables(t) for t in trees))
            assert writes == listed(found["writes"])
            assert both - writes == listed(found["reads"]) - writes
            assert listed(found["reads"]) <= both


def test_header_names_the_parameters_and_names(subtests: pytest.Subtests) -> None:
    for path in FILES:
        with subtests.test(name(path)):
            text = memsql._read(name(path), "mariadb")
            assert set(re.findall(r"%\((\w+)\)s", text)) == listed(header(path)["params"])
            assert set(re.findall(r"\$\{?(\w+)", text)) == listed(header(path).get("names", ""))


@pytest.mark.parametrize("table", TABLES)
def test_merge_statement_carries_every_column(table: str) -> None:
    (tree,) = parsed(memsql.SQL_DIR / "merge" / "move_loaded.sql", nth=list(TABLES).index(table))
    names = [c.name for c in reporting_columns(TABLES[table])]
    assert [c.name for c in tree.this.expressions] == names
    assert [c.name for c in tree.expression.expressions] == names


def test_no_sql_in_python(subtests: pytest.Subtests) -> None:
    statements = (
        r'"""?\s*(SELECT\b.+\bFROM|INSERT INTO|REPLACE INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|'
        r"LOAD DATA (?:LOCAL )?INFILE)\s"
    )
    # DuckDB's, on rows in memory: no server ever sees it, and sql/ holds only files that both engines take.
    rooms = ("quality/profile.py", "merge/prepare.py", "merge/plan.py", "rollup/sums.py")
    in_memory = {PACKAGE / room for room in (*rooms, "quality/books_day.py", "quality/books_rows.py")}
    for path in set(PACKAGE.rglob("*.py")) - in_memory:
        with subtests.test(str(path.relative_to(PACKAGE))):
            assert not re.search(statements, path.read_text()), "SQL belongs in sql/"


def test_an_unplain_name_is_refused() -> None:
    with pytest.raises(MemsqlError, match="not a plain SQL name"):
        memsql.statement("merge/delete", table="repins; DROP TABLE repins")


def test_a_missing_file_says_which() -> None:
    with pytest.raises(MissingPartError, match=r"nope\.sql"):
        memsql.statement("merge/nope")


def test_marked_lines_are_the_engine_s_own() -> None:
    for_mariadb = memsql.statements("schema/0003_repins", "mariadb")[0]
    for_singlestore = memsql.statements("schema/0003_repins", "singlestore")[0]
    assert "KEY by_brand_hour" in for_mariadb
    assert "SHARD KEY" not in for_mariadb
    assert "SHARD KEY (event_id)" in for_singlestore
    assert "by_brand_hour" not in for_singlestore
