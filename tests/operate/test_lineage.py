"""OpenLineage's datasets by the assets and the contract, sent by a real task of Airflow to a file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pinwheel.core.contract import HOUR_COLUMN, ROLLUP_TABLES, TABLES, landed_columns, reporting_columns
from pinwheel.core.datasets import LAKE, REPORTS, ROLLUPS, TOPIC, VERDICTS
from pinwheel.core.datasets import TABLES as TABLE_ASSETS

ROOT = Path(__file__).resolve().parents[2]
SERVERS = {
    "PINWHEEL_KAFKA_BOOTSTRAP": "broker:9092,broker-2:9092",
    "PINWHEEL_LAKE_URI": "s3://bucket/lake",
    "PINWHEEL_MEMSQL_HOST": "127.0.0.1",
    "PINWHEEL_MEMSQL_PORT": "3307",
    "PINWHEEL_MEMSQL_PASSWORD": "hush",
    "PINWHEEL_MEMSQL_DATABASE": "engagement",
    "PINWHEEL_REPORTS_URI": "/data/reports",
    "PINWHEEL_CONNECTIONS": "none",
}
# One task with the lake as its inlet and repins as its outlet, run as `airflow dags test` does.
RUN = """
import sys
from airflow.sdk import dag, task
from pinwheel.core.datasets import LAKE, TABLES
from pinwheel.operate.assets import asset

@dag(schedule=None)
def merges():
    @task(inlets=[asset(LAKE)], outlets=[asset(TABLES["repins"])])
    def merge(): print("merged")
    @task
    def other(): print("no dataset")
    merge() >> other()

made = merges()
if __name__ == "__main__":
    print("DONE", made.test().state)
"""


@pytest.fixture
def lineage(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, with the servers' settings."""
    monkeypatch.setenv("AIRFLOW_HOME", str(airflow_home))
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)
    from pinwheel.operate import lineage  # imports Airflow, which makes a folder at AIRFLOW_HOME

    return lineage


def names(found: list[Any]) -> list[tuple[str, str]]:
    return [(dataset.namespace, dataset.name) for dataset in found]


def test_an_asset_s_datasets_are_where_the_settings_say(lineage: Any) -> None:
    server = "mysql://127.0.0.1:3307"
    assert names(lineage.datasets(TOPIC.name)) == [("kafka://broker:9092", "engagement.events")]
    assert names(lineage.datasets(LAKE.name)) == [("s3://bucket", "lake/events")]
    assert names(lineage.datasets(TABLE_ASSETS["pins"].name)) == [(server, "engagement.pins")]
    assert names(lineage.datasets(ROLLUPS.name)) == [(server, f"engagement.{table}") for table in ROLLUP_TABLES]
    assert names(lineage.datasets(VERDICTS["pins"].name)) == [(server, "engagement.dq_results")]
    assert names(lineage.datasets(REPORTS.name)) == [("file", "/data/reports")]
    assert lineage.datasets("somebody_else") == []


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_table_comes_from_a_column_of_the_lake(lineage: Any, table: str) -> None:
    (lake,), (found,) = lineage.datasets(LAKE.name), lineage.datasets(TABLE_ASSETS[table].name)
    kind = TABLES[table]
    assert [f.name for f in found.facets["schema"].fields] == [c.name for c in reporting_columns(kind)]
    of_lake = {field.name for field in lake.facets["schema"].fields}
    fields = found.facets["columnLineage"].fields
    sources = {name: [(s.namespace, s.name, s.field) for s in field.inputFields] for name, field in fields.items()}
    assert sources[HOUR_COLUMN] == [("s3://bucket", "lake/events", "occurred_at")]
    assert {n: s for n, s in sources.items() if n != HOUR_COLUMN} == {
        name: [("s3://bucket", "lake/events", name)] for name in landed_columns(kind)
    }
    assert {field for ways in sources.values() for _, _, field in ways} <= of_lake


def run_task(home: Path, **told: str) -> str:
    env = os.environ | SERVERS | told
    env |= {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(ROOT), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    env |= {"AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
    (home / "dags").mkdir(exist_ok=True)
    file = home / "dags" / "merges.py"
    file.write_text(RUN)
    for command in ([str(Path(sys.executable).with_name("airflow")), "db", "migrate"], [sys.executable, str(file)]):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=home)
    assert "DONE success" in done.stdout, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_real_task_sends_them_to_a_file_and_nothing_without_a_transport(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    run_task(tmp_path)
    assert not file.exists()

    transport = {"type": "file", "log_file_path": str(file), "append": True}
    said = run_task(tmp_path, AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(transport))
    events = [json.loads(line) for line in file.read_text().splitlines()]
    with_datasets = [event for event in events if event["inputs"] or event["outputs"]]
    assert [event["job"]["name"] for event in with_datasets] == ["merges.merge"], said
    (event,) = with_datasets
    assert event["eventType"] == "RUNNING"
    assert [d["name"] for d in event["inputs"]] == ["lake/events"]
    assert [d["name"] for d in event["outputs"]] == ["engagement.repins"]
    assert event["outputs"][0]["facets"]["columnLineage"]["fields"]["occurred_hour"]
    kinds = {e["eventType"] for e in events if e["run"]["runId"] == event["run"]["runId"]}
    assert {"RUNNING", "COMPLETE"} <= kinds, "of one run with the provider's own"
    assert "hush" not in file.read_text()
