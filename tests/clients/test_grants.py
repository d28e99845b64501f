"""Users and rights: the same for both engines, and no more than their work needs."""

import re

import pytest

from pinwheel.clients import grants
from pinwheel.core.contract import TABLES
from tests.support import rights as rights_

FILES = ("users", "admin", "reporting_table", "merge", "stream", "analyst")
READ = {"SELECT"}
ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def rendered(engine: str, *names: str) -> list[str]:
    tables = {"reporting_table": [{"table": table} for table in TABLES]}
    return [
        s
        for name in names
        for given in tables.get(name, [{}])
        for s in grants.statements(f"grants/{name}", engine, "pinwheel", **given)
    ]


def rights(engine: str) -> dict[str, dict[str, set[str]]]:
    """Each user's rights, by the object that they are granted on."""
    found: dict[str, dict[str, set[str]]] = {}
    for statement in rendered(engine, *FILES):
        if match := re.fullmatch(r"GRANT (.+) ON (\S+) TO '(\w+)'@%\(host\)s", statement):
            words, on, user = match.groups()
            found.setdefault(user, {})[on.removeprefix("pinwheel.")] = set(words.split(", "))
    return found


def test_database_users_may_do_on_servers_what_those_of_the_embedded_stack_may() -> None:
    assert rights("mariadb") == rights("singlestore")
    assert set(rights("mariadb")) == {f"pinwheel_{role}" for role in ("admin", *grants.ROLES)}


def test_each_user_has_what_its_work_needs() -> None:
    found = rights("mariadb")
    analyst = found.pop("pinwheel_analyst")
    merge = found.pop("pinwheel_merge")
    assert found == {
        "pinwheel_admin": {"*": ROWS | {"CREATE", "ALTER", "DROP", "INDEX", "CREATE VIEW", "SHOW VIEW"}},
        "pinwheel_stream": {"*": {"CREATE TEMPORARY TABLES"}, "pin_cache": ROWS - {"DELETE"}},
        "pinwheel_report": {"*": READ},
    }
    assert merge.pop("*") == {"SELECT", "CREATE TEMPORARY TABLES"}
    needed = rights_.of_rooms(rights_.MERGE_ROOMS)
    assert {t: words - merge.get(t, set()) for t, words in needed.items() if words - merge.get(t, set())} == {}
    assert all(words == READ for words in analyst.values())
    assert set(TABLES) < set(analyst)
    assert len(analyst) == 33
    assert not [name for name in analyst if name.startswith(("*", "quarantine", "alert", "merge_s", "rollup_"))]
    assert not {"people", "presence"} & set(analyst)


@pytest.mark.parametrize(("engine", "is_limited"), [("mariadb", True), ("singlestore", False)])
def test_an_analyst_s_statements_are_limited_where_the_engine_can(engine: str, is_limited: bool) -> None:
    limited = [s for s in rendered(engine, "users") if "MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 20" in s]
    assert [s.startswith("ALTER USER 'pinwheel_analyst'") for s in limited] == [True] * is_limited


@pytest.mark.parametrize("engine", ["mariadb", "singlestore"])
def test_every_start_sets_the_passwords_anew(engine: str) -> None:
    for role in ("admin", *grants.ROLES):
        user = f"'pinwheel_{role}'@%(host)s IDENTIFIED BY %({role})s"
        assert len([s for s in rendered(engine, "users", "admin") if user in s]) == 2, "made, and altered"
