"""A task of merge_events: what it has merged is announced while it goes on, and again at its end."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pinwheel.core.settings import MergeSettings
from tests.support.database import environment_of
from tests.support.lakes import event, land

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys, time
from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace
sys.path.insert(0, "dags")
import merge_events as file

class Store:
    told = []
    def set(self, key, value):
        self.told.append([key, value, time.monotonic()])

events = defaultdict(SimpleNamespace)
context = {
    "dag_run": SimpleNamespace(start_date=datetime.now(UTC)),
    "asset_state_store": defaultdict(Store),
    "outlet_events": events,
}
file.get_current_context = lambda: context
merge = file.merge_events().task_dict["merge_repins"].python_callable
counts = merge("repins", 0)
ended = time.monotonic()
(extra,) = [event.extra for event in events.values()]
print("DONE" + json.dumps({
    "told": [[key, value] for key, value, _ in Store.told], "early": [ended - at > 1 for *_, at in Store.told],
    "assets": [asset.name for asset in context["asset_state_store"]],
    "extra": extra == counts, "slices": counts["slices"],
}))
"""


def test_it_announces_what_it_has_merged(settings: MergeSettings, airflow_home: Path) -> None:
    land(settings.lake_uri, [event("repin", "a", 1), event("repin", "b", 2)])
    env = os.environ | environment_of(settings)
    env |= {"AIRFLOW_HOME": str(airflow_home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(ROOT)}
    env |= {"PINWHEEL_LAKE_URI": settings.lake_uri, "PINWHEEL_MERGE_SESSION_SECONDS": "45"}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("DONE")] or [done.stdout + done.stderr]
    found = json.loads(line.removeprefix("DONE"))
    assert (found["assets"], found["extra"], found["slices"]) == (["pinwheel_repins"], True, 1)
    ((key, merged),) = found["told"]
    assert (key, merged["slices"], merged["rows"]) == ("merged_0", 1, 2)
    assert found["early"] == [True], "before the session was over"
