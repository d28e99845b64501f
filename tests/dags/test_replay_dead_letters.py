"""The tasks of replay_dead_letters, by its form: a dry run, then the real one; results that Airflow can keep."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pinwheel.core.settings import MergeSettings
from tests.support.database import environment_of
from tests.support.letters import kinds, land, letter

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
from types import SimpleNamespace
sys.path.insert(0, "dags")
import replay_dead_letters as file

form = json.loads(sys.argv[1])
dag = file.replay_dead_letters()
params = {name: dag.params.get_param(name).value for name in dag.params} | form
file.get_current_context = lambda: {"params": params, "dag_run": SimpleNamespace(triggering_user_name="ann")}
print("DONE" + json.dumps({t.task_id: t.python_callable() for t in dag.tasks}))
"""


def run(settings: MergeSettings, airflow_home: Path, **form: Any) -> dict[str, Any]:
    env = os.environ | environment_of(settings)
    env |= {"AIRFLOW_HOME": str(airflow_home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(ROOT)}
    env |= {"PINWHEEL_LAKE_URI": settings.lake_uri, "PINWHEEL_PIN_API_URL": "http://127.0.0.1:1"}
    command = [sys.executable, "-c", RUN, json.dumps(form)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    lines = [line for line in done.stdout.splitlines() if line.startswith("DONE")]
    assert lines, done.stdout + done.stderr
    return dict(json.loads(lines[0].removeprefix("DONE")))


def test_to_judge_quarantined_rows_again_brings_no_letter_home(settings: MergeSettings, airflow_home: Path) -> None:
    land(settings.events_uri, letter(1))
    done = run(settings, airflow_home, letters=False, dry_run=False)
    assert (done["letters"], len(done["quarantine"])) == ({}, 4)
    assert kinds(settings.events_uri) == {1: "dead_letter"}


def test_a_dry_run_is_the_default_and_the_real_one_brings_letters_home(
    settings: MergeSettings, airflow_home: Path
) -> None:
    land(settings.events_uri, letter(1), letter(2, b"{"), letter(3, dead_reason="bad_field"))
    dry = run(settings, airflow_home, reason="unknown_type")
    passing = {
        "letters": 1,
        "samples": [{"kafka_partition": 0, "kafka_offset": 1, "detail": "unknown_type: event_type=repin"}],
    }
    assert (dry["letters"]["letters"], dry["letters"]["passing"], dry["letters"]["landed"]) == (
        2,
        {"repin": passing},
        0,
    )
    assert [table["table"] for table in dry["quarantine"]] == ["pins", "repins", "comments", "logins"]
    assert set(kinds(settings.events_uri).values()) == {"dead_letter"}

    times = {"from_time": "2026-03-05T00:00:00Z", "to_time": "2026-03-06T00:00:00+00:00"}
    real = run(settings, airflow_home, reason="unknown_type", dry_run=False, quarantine=False, **times)
    assert (real["letters"]["landed"], real["quarantine"]) == (1, [])
    assert kinds(settings.events_uri) == {1: "repin", 2: "dead_letter", 3: "dead_letter"}
