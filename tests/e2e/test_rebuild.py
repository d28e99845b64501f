"""The reporting database is lost in the middle of traffic, and comes back from the lake."""

import subprocess
from pathlib import Path

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings, load
from pinwheel.local import environment
from pinwheel.local.stack import Stack
from pinwheel.merge import rebuild
from tests.support.oracle import Oracle, wait_until
from tests.support.programs import PRODUCE

SEED = 41


def test_a_database_that_is_dropped_in_the_middle_of_traffic_comes_back(running_stack: Stack, tmp_path: Path) -> None:
    oracle = Oracle(running_stack)
    words = ("--seed", str(SEED), "--truth-dir", str(tmp_path), "--rate", "300", "--count", "9000")
    process = subprocess.Popen([*PRODUCE, *words])
    arrived = f"SELECT event_id FROM repins WHERE event_id LIKE '{SEED:x}-%%' LIMIT 1"
    wait_until("some of it is in the tables", lambda: bool(oracle.query(arrived)), 120)

    admin = environment.memsql(running_stack.settings, running_stack.credentials, "admin")
    with memsql.connect(admin) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {admin.memsql_database}")
    running_stack.make_schema()
    merging = load(MergeSettings)
    with memsql.connect(merging) as connection:
        found = rebuild.request(connection, merging, list(TABLES), "a test")
    assert sum(extent.rows for extent in found) > 0

    assert process.wait() == 0
    wait_until("all tables are rebuilt", lambda: oracle.query("SELECT table_name FROM rebuilds") == [])
    wait_until("all days are made anew", lambda: oracle.query("SELECT day FROM stale_days") == [])
    oracle.settle()
    oracle.check_arrived(tmp_path, SEED)
