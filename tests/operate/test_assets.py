"""The watcher fires for each announcement of a merge, also after its own death, and whatever Airflow's API does."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, which has Airflow's folder elsewhere.
RUN = '''
import asyncio, json
from pinwheel.core.datasets import LAKE, TABLES
from pinwheel.operate.assets import MergedTrigger, asset

class Store(dict):
    """Of one asset; it does not answer while it is away."""
    away = False
    async def aget(self, key):
        if self.away: raise RuntimeError("away")
        return self.get(key)
    async def aset(self, key, value):
        if self.away: raise RuntimeError("away")
        self[key] = value

async def fired(store, seconds=0.3, poll_seconds=0.01):
    """The payloads of a trigger that lives that long."""
    trigger, found = MergedTrigger("pinwheel_repins", 2, poll_seconds), []
    trigger.asset_state_store = store
    async def run():
        async for event in trigger.run():
            found.append(event.payload)
    try: await asyncio.wait_for(run(), seconds)
    except TimeoutError: pass
    return found

async def main():
    store, told = Store(), {}
    told["nothing"] = await fired(store)
    store["merged_0"], store["merged_1"] = {"version": 1}, {"version": 2}
    told["dies before Airflow has them"] = await fired(store, poll_seconds=10)
    told["both shards"] = await fired(store)
    told["after a restart"] = await fired(store)
    store["merged_1"], store.away = {"version": 3}, True
    told["away"] = await fired(store)
    store.away = False
    told["back"] = await fired(store)
    made = asset(TABLES["repins"]).watchers[0].trigger.serialize()
    told["classes"] = [made[0], len({str(asset(t).watchers[0].trigger.serialize()) for t in TABLES.values()})]
    told["lake"] = len(asset(LAKE).watchers)
    print("DONE" + json.dumps(told))

asyncio.run(main())
'''


def test_it_fires_for_each_announcement(airflow_home: Path) -> None:
    env = os.environ | {"AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("DONE")] or [done.stderr]
    assert json.loads(line.removeprefix("DONE")) == {
        "nothing": [],
        "dies before Airflow has them": [{"version": 1}, {"version": 2}],
        "both shards": [{"version": 1}, {"version": 2}],
        "after a restart": [],
        "away": [],
        "back": [{"version": 3}],
        "classes": ["pinwheel.operate.assets.MergedTrigger", 4],
        "lake": 0,
    }
