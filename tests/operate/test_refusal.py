"""A refusal is one plain line in the task's log and is not tried again; other errors are as they were."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, which has Airflow's folder elsewhere. Prints the type, text and cause of what each raises.
RUN = """
import json, logging, sys
from pinwheel.core.errors import AskedError, MemsqlError, MergeError, QualityError
from pinwheel.operate.refusal import refusing
logging.basicConfig(level=logging.INFO, format="LOG %(name)s %(message)s", stream=sys.stdout, force=True)

def raised(error, *kinds):
    @refusing(*kinds)
    def task(answer):
        if error: raise error
        return answer
    try: return task("done")
    except Exception as found: return [type(found).__name__, str(found), found.__suppress_context__]

print("DONE" + json.dumps([
    raised(MergeError("no slice 7")), raised(MemsqlError("away")), raised(ValueError("ours to fix")),
    raised(AskedError("not over yet"), AskedError), raised(QualityError("differs"), AskedError), raised(None),
]))
"""


def test_only_a_refusal_ends_a_task_for_good(airflow_home: Path) -> None:
    env = os.environ | {"AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("DONE")] or [done.stderr]
    assert json.loads(line.removeprefix("DONE")) == [
        ["AirflowFailException", "no slice 7", True],
        ["MemsqlError", "away", False],
        ["ValueError", "ours to fix", False],
        ["AirflowFailException", "not over yet", True],
        ["QualityError", "differs", False],
        "done",
    ]
    said = [line for line in done.stdout.splitlines() if line.startswith("LOG pinwheel.")]
    assert said == [f"LOG pinwheel.operate.refusal {text}" for text in ("no slice 7", "not over yet")]
