"""Two contenders: the stream alone, from Kafka to the lake; and the whole stack at a steady rate."""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from bench import latency
from bench.arena import WARM_EVENTS, WARM_RATE, Arena, arena, taken, wait_until
from bench.contenders import Job, Run, compare_lake, landed_at
from bench.day import Day
from bench.usage import DRIVER, Ages, Peak, Usage, spent
from pinwheel.clients import memsql
from pinwheel.clients.spark import AUTH
from pinwheel.install import tools
from pinwheel.local import environment
from pinwheel.local.processes import MARK
from pinwheel.rollup.rollups import Rollups

LAUNCH = """
from pinwheel.core.settings import SuperviseSettings, load
from pinwheel.stream.submit import launch_driver
launch_driver(load(SuperviseSettings))
"""
LANDED = re.compile(r" landed batch=\d+ version=\d+ rows=(\{.*\}) seconds=([\d.]+)")
EXECUTOR_MB = 1024
NEAR = (1000, 3000)  # rows of a batch that counts as a batch of about 2,000
FILL_SECONDS = 600.0  # timeout of a statement while the rollups are filled
FAR_SLICE = 1_000_000_000  # no slice of the stack's own has this number
SETTLED_SECONDS = 20  # skipped at the start of a steady rate: the first batches are a warm-up


def landing(job: Job) -> Run:
    """Kafka to the enriched lake, warm, with nothing else running; from the first batch's start to the last commit."""
    run = Run(f"landing on {job.executors}" if job.executors else "landing", job.events, job.seed)
    with arena("landing", airflow=False) as under_test:
        usage = Usage(under_test.stack.settings)
        _launch(under_test, job.executors)
        _warm(under_test)
        under_test.freeze()
        first = under_test.landed_offsets()
        under_test.backlog(job.events, job.seed)
        with taken(job.turn), Peak(usage) as peak:
            before, began = usage.cpu(), time.time()
            under_test.thaw()
            wait_until("every record is in the lake", under_test.landed)
            after = usage.cpu()
        run.seconds = landed_at(under_test) - began
        run.cpu = spent(before, after)
        run.more = {"batch_seconds": batch_seconds(under_test), "driver_mb": peak.of(*DRIVER)}
        run.wrong = compare_lake(under_test, first, job.events)
    return run


def _launch(under_test: Arena, executors: int) -> None:
    """Start the driver as the supervisor does."""
    env = {**os.environ, MARK: f"{under_test.stack.settings.stack_dir}:driver"}
    if executors:
        master = {"conn_type": "spark", "host": f"local-cluster[{executors},1,{EXECUTOR_MB}]"}
        home = _spark_in(under_test.stack.settings.stack_dir)
        env |= {"AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps(master), "SPARK_HOME": str(home), AUTH: token_hex()}
    (under_test.stack.settings.stack_dir / "stream").mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-c", LAUNCH], env=env, check=True, capture_output=True)
    wait_until("the driver runs", under_test.driven, 180)


def _spark_in(folder: Path) -> Path:
    """A SPARK_HOME of symbolic links in our folder: `local-cluster` writes its executors' folders to SPARK_HOME."""
    home = folder / "spark"
    home.mkdir()
    for part in tools.spark_home().iterdir():
        (home / part.name).symlink_to(part)
    return home


def _warm(under_test: Arena) -> None:
    under_test.produce("warm", 999_983, "--rate", str(WARM_RATE), "--count", str(4 * WARM_EVENTS))
    wait_until("every record is in the lake", under_test.landed)


def _fill_today(under_test: Arena, events: int) -> None:
    """Have the rollups take in so many events of today, together with the session of the stack."""
    merge = environment.memsql(under_test.stack.settings, under_test.stack.credentials, "merge")
    with memsql.connect(merge, local_infile=True, statement_seconds=FILL_SECONDS) as connection:
        Day(connection, Rollups(), first_slice=FAR_SLICE).take_in(events, max(1, datetime.now(UTC).hour))
    wait_until("every rollup is in MemSQL", under_test.merged)


def batch_seconds(under_test: Arena) -> float:
    """Median seconds of a micro-batch of about 2,000 events, by the driver's log."""
    log = (under_test.stack.settings.stack_dir / "stream" / "driver.log").read_text(errors="replace")
    batches = [(sum(map(int, re.findall(r": (\d+)", rows))), float(s)) for rows, s in LANDED.findall(log)]
    near = [seconds for rows, seconds in batches if NEAR[0] <= rows <= NEAR[1]]
    return statistics.median(near) if near else float("nan")


def steady(job: Job) -> Run:
    """The whole stack at 1,000 events/s: latency of an event to the lake and to its table."""
    run = Run("late" if job.day else "latency", job.events, job.seed)
    with arena("latency", airflow=True) as under_test:
        usage = Usage(under_test.stack.settings)
        under_test.warm()
        if job.day:
            _fill_today(under_test, job.day)
        first = under_test.landed_offsets()
        report = environment.memsql(under_test.stack.settings, under_test.stack.credentials, "report")
        with taken(job.turn), Peak(usage) as peak, Ages(report) as ages:
            before, began = usage.cpu(), time.time()
            under_test.produce("steady", job.seed, "--rate", str(WARM_RATE), "--count", str(job.events))
            run.seconds = time.time() - began
            run.cpu = spent(before, usage.cpu())
        under_test.settle()
        settled_at = began + min(SETTLED_SECONDS, run.seconds / 2)
        found = latency.measure(datetime.fromtimestamp(settled_at, UTC))
        for name in ("lake", "sql"):
            run.more |= {f"{name}_{p}": seconds for p, seconds in found[name].percentiles().items()}
            run.more[f"{name}_drift"] = found[name].drift()
        early, late = (
            sum(held[p] for p in DRIVER) for _, held in (peak.samples[len(peak.samples) // 4], peak.samples[-1])
        )
        run.more |= {"batch_seconds": batch_seconds(under_test), "driver_mb": late, "driver_mb_grown": late - early}
        run.more |= {"stack_mb": peak.of(), "rollups_p95": ages.p95(settled_at)}
        run.wrong = compare_lake(under_test, first, job.events)
    return run
