"""The form of watch_health: a test alert on demand, and none without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
from types import SimpleNamespace
sys.path.insert(0, "dags")
import watch_health as file
from pinwheel.alerts import raising
from pinwheel.operate import health

dag, told = file.watch_health(), []
params = {name: dag.params.get_param(name).value for name in dag.params} | json.loads(sys.argv[1])
file.get_current_context = lambda: {"params": params, "dag_run": SimpleNamespace(triggering_user_name="ann")}
raising.raise_alert = lambda alert, subject, message: told.append([alert.name, subject, message])
raising.deliver_waiting = lambda: None
health.watch = lambda *_: []
dag.task_dict["look"].python_callable()
print("DONE" + json.dumps(told))
"""


@pytest.mark.parametrize(
    ("form", "told"), [({}, []), ({"test_alert": True}, [["test_alert", "ann", "ann sent this to test delivery"]])]
)
def test_a_test_alert_is_sent_on_demand(airflow_home: Path, form: dict[str, bool], told: list[list[str]]) -> None:
    env = os.environ | {"AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, json.dumps(form)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("DONE")] or [done.stderr]
    assert json.loads(line.removeprefix("DONE")) == told
