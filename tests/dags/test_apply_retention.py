"""Only the schedule takes anything away without being asked to."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import importlib.util, json, sys
from types import SimpleNamespace
from airflow.sdk.api.datamodels._generated import DagRunType
from pinwheel.operate import expire

spec = importlib.util.spec_from_file_location("dag_file", sys.argv[1])
dag_file = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dag_file)
seen = []
expire.apply_retention = lambda settings, now, dry_run: seen.append(dry_run) or []
for run_type, dry_run in json.loads(sys.argv[2]):
    run = SimpleNamespace(run_type=DagRunType(run_type))
    dag_file.get_current_context = lambda: {"dag_run": run, "params": {"dry_run": dry_run}}
    dag_file.apply.function()
print("SEEN" + json.dumps(seen))
"""
CASES = {
    ("scheduled", True): False,
    ("manual", True): True,
    ("manual", False): False,
    ("operator_triggered", True): True,
}


def test_the_run_decides_whether_it_is_dry(airflow_home: Path) -> None:
    file = str(ROOT / "dags" / "apply_retention.py")
    env = {"AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, "-c", RUN, file, json.dumps(list(CASES))]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=airflow_home)
    assert f"SEEN{json.dumps(list(CASES.values()))}" in done.stdout, done.stdout + done.stderr
