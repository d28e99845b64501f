"""Every Dag loads fast and alone, and keeps to the house rules."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pinwheel.core.contract import TABLES

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
DUMP = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

def next_runs(dag):
    # The logical dates of its first two scheduled runs.
    dag = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    first = dag.next_dagrun_info(last_automated_run_info=None)
    second = dag.next_dagrun_info(last_automated_run_info=first)
    return [str(first.logical_date), str(second.logical_date)]

bag = DagBag(dag_folder=sys.argv[1])
heavy = [m for m in ("pyspark", "great_expectations", "pandas", "deltalake") if m in sys.modules]
dags = {
    d.dag_id: {
        "file": d.fileloc, "doc": d.doc_md, "tags": sorted(d.tags), "catchup": d.catchup,
        "max_active_runs": d.max_active_runs, "owners": sorted({t.owner for t in d.tasks}),
        "retries": [t.retries for t in d.tasks], "params": {k: v.schema | {"description": v.description} for k, v in
        ((k, d.params.get_param(k)) for k in d.params)}, "tasks": {t.task_id: type(t).__name__ for t in d.tasks},
        "next_runs": next_runs(d) if d.schedule else [],
        "assets": {t.task_id: [sorted(a.name for a in t.inlets), sorted(a.name for a in t.outlets)] for t in d.tasks
        if t.inlets or t.outlets},
        "before": {t.task_id: hook.__name__ for t in d.tasks if (hook := getattr(t, "_pre_execute_hook", None))},
    } for d in bag.dags.values()
}
print("DUMP" + json.dumps({"errors": bag.import_errors, "heavy": heavy, "dags": dags}))
"""


@pytest.fixture(scope="module")
def bag(airflow_home: Path) -> dict[str, Any]:
    return load_bag(airflow_home)


def load_bag(airflow_home: Path, **told: str) -> dict[str, Any]:
    import json

    env = (
        os.environ
        | told
        | {
            "AIRFLOW_HOME": str(airflow_home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "PYTHONPATH": str(ROOT),
        }
    )
    command = [sys.executable, "-c", DUMP, str(ROOT / "dags")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=airflow_home)
    lines = [line for line in done.stdout.splitlines() if line.startswith("DUMP")]
    assert lines, done.stdout + done.stderr
    return dict(json.loads(lines[0].removeprefix("DUMP")))


def test_every_file_is_one_dag_of_its_name(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}
    assert {"supervise_stream", "merge_events"} <= set(bag["dags"])
    assert {Path(d["file"]).stem: name for name, d in bag["dags"].items()} == {f.stem: f.stem for f in FILES}


def test_loading_pulls_in_nothing_heavy(bag: dict[str, Any]) -> None:
    assert bag["heavy"] == []


@pytest.mark.parametrize("name", [f.stem for f in FILES])
def test_house_rules(bag: dict[str, Any], name: str) -> None:
    found = bag["dags"][name]

    assert found["owners"], found
    assert found["owners"] != ["airflow"], "an owner of its own"
    assert "pinwheel" in found["tags"]
    assert found["catchup"] is False
    assert found["max_active_runs"] == 1
    assert found["doc"], "the docstring is the page"
    for word in ("**What**", "**When**", "**Re-running**", "**When not to use**", "**Runbook**"):
        assert word in found["doc"], word
    assert (ROOT / "docs" / "runbooks" / f"{name}.md").is_file(), "a runbook"
    assert f"docs/runbooks/{name}.md" in found["doc"]
    for param, schema in found["params"].items():
        assert "type" in schema, f"{param} has a type"
        assert "title" in schema, f"{param} has a title"
        assert schema["description"], f"{param} says what it does"


def test_the_setting_says_which_operator_does_large_jobs(bag: dict[str, Any], airflow_home: Path) -> None:
    """Loading stays light with either. A wrong value is an error that names the setting."""
    assert bag["dags"]["compact_tables"]["tasks"] == {"compact": "_PythonDecoratedOperator"}

    on_spark = load_bag(airflow_home, PINWHEEL_LAKE_ENGINE="spark")
    assert on_spark["dags"]["compact_tables"]["tasks"] == {
        "prepare": "_PythonDecoratedOperator",
        "compact": "SparkSubmitOperator",
    }
    assert on_spark["dags"]["rebuild_tables"]["tasks"] == {
        "ask": "_PythonDecoratedOperator",
        "prepare": "_PythonDecoratedOperator",
        "load": "SparkSubmitOperator",
    }
    assert on_spark["heavy"] == []
    given = [on_spark["dags"][name]["before"] for name in ("compact_tables", "rebuild_tables")]
    assert given == [{"compact": "give_to_children"}, {"load": "give_to_children"}], "the jobs can't read connections"

    wrong = load_bag(airflow_home, PINWHEEL_LAKE_ENGINE="sparc")
    assert ["PINWHEEL_LAKE_ENGINE='sparc'" in error for error in wrong["errors"].values()] == [True, True]


def test_the_assets_lead_from_the_topic_to_the_reports(bag: dict[str, Any]) -> None:
    """Each way of Airflow's asset graph, task by task."""
    tables = [f"pinwheel_{table}" for table in TABLES]
    verdicts = sorted(f"pinwheel_quality_{table}" for table in TABLES)
    merges = {f"merge_{table}": [["pinwheel_lake"], [f"pinwheel_{table}"]] for table in TABLES}
    of_brands = ["pinwheel_comments", "pinwheel_pins", "pinwheel_repins", "pinwheel_rollups"]
    assert {name: d["assets"] for name, d in bag["dags"].items() if d["assets"]} == {
        "supervise_stream": {"supervise": [["pinwheel_topic"], ["pinwheel_lake"]]},
        "merge_events": merges | {"roll_up": [sorted(tables), ["pinwheel_rollups"]]},
        "check_quality": {"check": [sorted(["pinwheel_lake", "pinwheel_rollups", *tables]), verdicts]},
        "report_brands": {"make": [of_brands, ["pinwheel_reports"]]},
    }


def test_no_dag_file_is_long() -> None:
    """A form that explains each choice is a third of its file."""
    assert {f.name: len(f.read_text().splitlines()) for f in FILES if len(f.read_text().splitlines()) > 110} == {}


def test_a_second_run_has_a_logical_date_of_its_own(bag: dict[str, Any]) -> None:
    """Airflow skips a run whose logical date it has run: a continuous Dag without a start date stops after one run."""
    runs = {name: d["next_runs"] for name, d in bag["dags"].items() if d["next_runs"]}

    assert {"supervise_stream", "merge_events"} <= set(runs)
    assert [name for name, (first, second) in runs.items() if first == second] == []
