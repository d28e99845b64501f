"""An embedded stack for one run: fresh, warmed up, with a backlog in Kafka, and a stream that can be paused."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from deltalake import DeltaTable

from bench.servers import free_port, own
from pinwheel.clients import kafka, memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import EVENT_TYPES
from pinwheel.core.settings import KafkaSettings, LakeSettings, load
from pinwheel.core.times import aware
from pinwheel.install.progress import PlainProgress
from pinwheel.lake import events_table
from pinwheel.local import environment, processes
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import FIRST, Stack
from pinwheel.stream import driver_lock
from pinwheel.stream.wish import WANTED_VARIABLE, Wanted

PRODUCE = (sys.executable, "-m", "pinwheel.generate.produce")
HOURS = 6
WARM_EVENTS, WARM_RATE, WARM_SEED = 5000, 1000, 999_983
PORTS = ("kafka_port", "kafka_controller_port", "memsql_port", "pin_api_port", "airflow_port")
SETTLE_SECONDS = 1800.0
POLL_SECONDS = 0.25
MERGED_AT = "SELECT MAX(merged_at) AS at FROM merge_slices WHERE state = 'merged'"
Row = dict[str, Any]


def wait_until(what: str, holds: Callable[[], bool], seconds: float = SETTLE_SECONDS) -> None:
    """Wait until ``holds``; polls seldom, so that polling does not distort the measurement."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_SECONDS)


class Arena:
    """The running stack."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.kafka, self.lake = load(KafkaSettings), load(LakeSettings)
        self.events_uri = self.lake.events_uri
        self._frozen: list[psutil.Process] = []
        self._ends: dict[int, int] = {}
        self._events: DeltaTable | None = None
        self._database: Connection | None = None

    def produce(self, name: str, seed: int, *words: str) -> Path:
        """Send events; returns the folder of their truth."""
        truth = self.folder / name
        command = (*PRODUCE, "--seed", str(seed), "--truth-dir", str(truth), *words)
        subprocess.run(command, check=True, capture_output=True)
        return truth

    def backlog(self, events: int, seed: int) -> Path:
        """Send the workload to Kafka as fast as it accepts it; returns the folder of its truth."""
        return self.produce("backlog", seed, "--rate", "0", "--count", str(events), "--backfill-hours", str(HOURS))

    def warm(self) -> Path:
        """Process some events, so that every program is warm; returns the folder of their truth."""
        wait_until("the stream's driver runs", self.driven, 180)
        words = ("--rate", str(WARM_RATE), "--count", str(WARM_EVENTS))
        truth = self.produce("warm", WARM_SEED, *words)
        self.settle()
        return truth

    def driven(self) -> bool:
        """Whether the stream's driver runs."""
        return driver_lock.running(self.stack.settings.driver_lock_path) is not None

    def landed_offsets(self) -> dict[int, int]:
        """The next offset to land of each partition."""
        return events_table.landed(self._lake(), self.kafka.topic, range(self.stack.settings.partitions))

    def landed(self) -> bool:
        """Whether the lake holds all records of Kafka, which is asked only when the lake has what Kafka had before."""
        landed = self.landed_offsets()
        if any(landed.get(p, 0) < end for p, end in self._ends.items()):
            return False
        self._ends = kafka.end_offsets(self.kafka)
        return all(landed.get(p, 0) == end for p, end in self._ends.items())

    def merged(self) -> bool:
        """Whether the reporting tables and the rollups hold all events of the lake."""
        events = self._lake()
        if events is None:
            return False
        version = events.version()
        reached = self.query("SELECT table_name, MIN(version) AS version FROM merge_shards GROUP BY table_name")
        marks = {r["table_name"]: r["version"] for r in reached}
        rows = all(marks.get(kind.table, -1) >= version for kind in EVENT_TYPES.values())
        return rows and not self.query("SELECT slice_id FROM rollup_increments LIMIT 1")

    def settle(self) -> float:
        """Wait until everything that was sent is merged and rolled up; returns the time then, in Unix seconds."""
        wait_until("every record is in the lake", self.landed)
        wait_until("every row and rollup is in MemSQL", self.merged)
        return time.time()

    def merged_at(self) -> float:
        """When the last slice was merged, by the ledger, in Unix seconds; its rollups come later."""
        at: datetime = self.query(MERGED_AT)[0]["at"]
        return aware(at).timestamp()

    def query(self, sql: str) -> list[Row]:
        """Query the reporting database, through one connection, as to open one costs more than a query."""
        if self._database is None or not self._database.open:
            settings = environment.memsql(self.stack.settings, self.stack.credentials, "report")
            self._database = memsql.connect(settings)
        with memsql.transaction(self._database), self._database.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _lake(self) -> DeltaTable | None:
        """The lake as it is now; kept open, as it is asked for four times a second."""
        self._events = events_table.newest(self.events_uri, self._events)
        return self._events

    def pause(self) -> None:
        """Stop the stream, by the Variable that control_stream sets."""
        self._want(Wanted.STOPPED)
        wait_until("the driver has ended", lambda: not self.driven(), 120)

    def resume(self) -> None:
        """Start the stream again, by the same Variable."""
        self._want(Wanted.RUNNING)

    def freeze(self) -> None:
        """SIGSTOP the driver's processes: they stay warm, but do nothing."""
        found = driver_lock.running(self.stack.settings.driver_lock_path)
        if found is None:
            raise SystemExit("there is no driver to freeze")
        session = os.getsid(found.pid)
        self._frozen = processes.in_session(session)
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT the driver's processes."""
        self._signal(signal.SIGCONT)
        self._frozen = []

    def _signal(self, number: signal.Signals) -> None:
        for process in self._frozen:
            with suppress(psutil.NoSuchProcess):  # a short-lived child
                process.send_signal(number)

    def started_at(self) -> float | None:
        """When the newest driver began to read, by its log, in Unix seconds; None while it starts."""
        log = self.stack.settings.stack_dir / "stream" / "driver.log"
        lines = [line for line in log.read_text(errors="replace").splitlines() if " started log=" in line]
        return datetime.strptime(lines[-1][:23], "%Y-%m-%d %H:%M:%S,%f").timestamp() if lines else None

    def _want(self, wanted: Wanted) -> None:
        settings = self.stack.settings
        login = {"username": "admin", "password": self.stack.credentials.airflow_admin}
        with httpx.Client(base_url=settings.airflow_url, timeout=30, trust_env=False) as client:
            token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            variable = {"key": WANTED_VARIABLE, "value": str(wanted)}
            changed = client.patch(f"/api/v2/variables/{WANTED_VARIABLE}", json=variable)
            if changed.status_code == httpx.codes.NOT_FOUND:
                changed = client.post("/api/v2/variables", json=variable)
            changed.raise_for_status()

    def make_database(self, name: str) -> None:
        """Create an empty database next to Pinwheel's, for the same owner."""
        own(self.stack.settings, name)


@contextmanager
def taken(turn: Path | None) -> Iterator[None]:
    """Hold the lock of a file, if one is given: benchmarks that share a machine take turns."""
    if turn is None:
        yield
        return
    with turn.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def arena(name: str, *, airflow: bool) -> Iterator[Arena]:
    """A fresh stack on free ports; without Airflow there is no stream and no merge."""
    ports: dict[str, Any] = {port: free_port() for port in PORTS}
    settings = LocalSettings(stack=f"bench-{name}", **ports)
    stack = Stack(settings)
    stack.stop()
    shutil.rmtree(settings.stack_dir, ignore_errors=True)
    before = dict(os.environ)
    try:
        environment.adopt(settings, stack.credentials)
        if airflow:
            stack.start(PlainProgress())
        else:
            for part in FIRST:
                stack.start_part(part, PlainProgress())
        yield Arena(stack, settings.stack_dir / "truth")
    finally:
        stack.stop()
        os.environ.clear()
        os.environ.update(before)
