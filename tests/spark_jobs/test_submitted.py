"""The Spark jobs on the lake as their Dags submit them: on a cluster, on a lake in the store, asking the database."""

import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pinwheel.clients.memsql import Connection
from pinwheel.clients.spark import COMPACT_TABLES, REBUILD_TABLES
from pinwheel.core.settings import CompactSettings, MergeSettings
from pinwheel.lake.compaction import CLEAN, measure
from pinwheel.local.settings import LocalSettings
from pinwheel.merge import rebuild
from tests.support.lakes import event, land
from tests.support.spark import SUBMIT, environment_of_airflow
from tests.support.store import fetch

pytestmark = [
    pytest.mark.usefixtures("starts_jvm"),
    pytest.mark.parametrize("place", ["bucket"], indirect=True),
]


@pytest.fixture
def environment(settings: MergeSettings, tmp_path: Path, airflow_home: Path) -> dict[str, str]:
    fetch(LocalSettings().tools_dir, "spark-s3")
    for n in range(5):
        land(settings.lake_uri, [event("repin", f"r{n}", 2 * n), event("login", f"l{n}", 2 * n + 1)])
    return environment_of_airflow(settings, tmp_path, airflow_home)


def submit(environment: dict[str, str], *job: str) -> str:
    done = subprocess.run([sys.executable, "-c", SUBMIT, *job], env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert environment["PINWHEEL_MEMSQL_PASSWORD"] not in said
    return said


def test_it_compacts_and_cleans_up(settings: MergeSettings, environment: dict[str, str]) -> None:
    said = submit(environment | {"PINWHEEL_COMPACT_CLOSED_FILES": "4"}, COMPACT_TABLES, CLEAN)
    table = DeltaTable(settings.events_uri)
    assert {p.event_type: p.files for p in measure(table, CompactSettings())} == {"login": 1, "repin": 1}
    assert "cluster event_date=2026-03-14 event_type=repin files=5->1" in said
    assert "vacuum dry_run=False kept_hours=168 files=0" in said


def test_it_loads_rebuilt_tables(settings: MergeSettings, environment: dict[str, str], connection: Connection) -> None:
    rebuild.request(connection, settings, ["repins", "logins"], "ann", rebuild.SPARK)
    said = submit(environment, REBUILD_TABLES, "repins", "logins")
    assert "loaded table=logins rows=5" in said
    found = [rebuild.waiting(connection, table) for table in ("repins", "logins")]
    assert [r and r.state for r in found] == [rebuild.EXCHANGING] * 2
