"""Everything dies once while events flow; afterwards every row is right."""

import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from pinwheel.core.settings import SuperviseSettings, load
from pinwheel.install.progress import PlainProgress
from pinwheel.local.airflow import SCHEDULER
from pinwheel.local.processes import mark_of, marked
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock
from tests.support.airflow_client import Airflow
from tests.support.late_pins import complete_all
from tests.support.oracle import Oracle, wait_until
from tests.support.programs import LAUNCH, PRODUCE

SEED, SEED_OF_STOP = 11, 12
RATE = 300
UNTIL_STOPPED = 0
ALWAYS = {"merge_events", "supervise_stream"}  # one run follows the other


def produce(folder: Path, seed: int, rate: int, count: int) -> list[str]:
    told = {"--truth-dir": folder, "--seed": seed, "--rate": rate, "--count": count}
    return [*PRODUCE, *(str(part) for pair in told.items() for part in pair)]


def driver_pid(stack: Stack) -> int | None:
    found = driver_lock.running(stack.settings.driver_lock_path)
    return found.pid if found else None


def test_everything_dies_once_while_events_flow(breakable_stack: Stack, tmp_path: Path) -> None:
    oracle = Oracle(breakable_stack)
    wait_until("the driver runs", lambda: driver_pid(breakable_stack) is not None)
    producer = subprocess.Popen(produce(tmp_path, SEED, RATE, UNTIL_STOPPED))

    for part, seconds_down in (("kafka", 4), ("memsql", 6), ("pin_api", 6)):
        time.sleep(5)
        breakable_stack.kill(part)
        time.sleep(seconds_down)
        breakable_stack.start_part(part, PlainProgress())

    time.sleep(5)
    wait_until("the driver runs", lambda: driver_pid(breakable_stack) is not None)
    before = driver_pid(breakable_stack)
    breakable_stack.kill("airflow")
    time.sleep(3)
    breakable_stack.start_part("airflow", PlainProgress())
    assert driver_pid(breakable_stack) == before, "Airflow's death has ended the stream"

    assert producer.poll() is None, "events flow until everything has been down and up"
    producer.terminate()
    assert producer.wait(60) == 0
    oracle.settle()
    complete_all(oracle, Airflow(breakable_stack))
    oracle.check_arrived(tmp_path, SEED)


def test_sigterm_finishes_the_batch_and_exits_0(breakable_stack: Stack, tmp_path: Path) -> None:
    """While Airflow is off: one of our own takes the place of the stack's driver, so that its exit code is seen."""
    oracle = Oracle(breakable_stack)
    breakable_stack.stop_part("airflow")
    breakable_stack.stop_driver()
    assert driver_pid(breakable_stack) is None

    process = subprocess.Popen([sys.executable, "-c", LAUNCH])
    log = load(SuperviseSettings).stream_dir / "driver.log"
    try:
        wait_until("our driver runs", lambda: driver_pid(breakable_stack) is not None, 120)
        produced = subprocess.Popen(produce(tmp_path, SEED_OF_STOP, 1000, 5000))
        wait_until("it lands", lambda: "landed batch=" in log.read_text(), 120)
        pid = driver_pid(breakable_stack)
        assert pid is not None
        psutil.Process(pid).send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()[-3000:]
        assert produced.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
    breakable_stack.start_part("airflow", PlainProgress())
    oracle.settle()
    complete_all(oracle, Airflow(breakable_stack))
    oracle.check_arrived(tmp_path, SEED_OF_STOP)


def test_a_person_stops_and_starts_the_stream_from_airflow(breakable_stack: Stack) -> None:
    airflow = Airflow(breakable_stack)

    assert airflow.run("control_stream", {"wanted": "stopped"})["state"] == "success"
    wait_until("the driver is stopped", lambda: driver_pid(breakable_stack) is None, 60)
    time.sleep(6)
    assert driver_pid(breakable_stack) is None, "the supervisor has started what a person stopped"
    assert airflow.run("control_stream", {"wanted": "running"})["state"] == "success"
    wait_until("the driver runs again", lambda: driver_pid(breakable_stack) is not None, 60)


def test_airflow_is_well_after_all_that(breakable_stack: Stack) -> None:
    """A run that was cut off by the end of Airflow itself may be red: the Dag's next one is not."""
    airflow = Airflow(breakable_stack)
    scheduler = breakable_stack.owned(SCHEDULER).leader()
    assert scheduler is not None

    assert airflow.get("importErrors")["import_errors"] == []
    dags = {d["dag_id"]: d for d in airflow.get("dags")["dags"]}
    assert not any(d["is_paused"] for d in dags.values())
    for dag_id in dags:
        found = airflow.get(f"dags/{dag_id}/dagRuns", order_by="-run_after", limit=20)["dag_runs"]
        ours = [run for run in found if run["run_type"] != "manual"]  # tests trigger failing runs by hand
        runs = [run for run in ours if begun(run) > scheduler.create_time()]
        assert "failed" not in {run["state"] for run in runs}, dag_id
        assert any(run["state"] == "running" for run in ours) or dag_id not in ALWAYS, dag_id


def begun(run: dict[str, Any]) -> float:
    """Seconds since the epoch; 0 for one that waits."""
    return datetime.fromisoformat(run["start_date"]).timestamp() if run["start_date"] else 0.0


def test_airflow_and_the_stream_stop_in_order(breakable_stack: Stack) -> None:
    """The last test of the running stack: what comes after it needs neither, and has the machine for itself."""
    breakable_stack.stop_part("airflow")
    breakable_stack.stop_driver()
    assert driver_pid(breakable_stack) is None

    def left() -> set[str]:
        return {mark_of(process).rpartition(":")[2] for process in marked(breakable_stack.settings.stack_dir)}

    wait_until("only the other parts are left", lambda: left() <= {"kafka", "memsql", "pin_api"}, 30)
