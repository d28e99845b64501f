"""The contenders that run the workload: Pinwheel and the baselines.

Each run uses a fresh stack and ends with a comparison of its tables with the truth.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow.compute as pc
from deltalake import DeltaTable

from bench.arena import Arena, arena, taken, wait_until
from bench.truths import BASELINE_ROLLUPS, COLUMNS, ROLLUPS, Truth
from bench.usage import DRIVER, Peak, Program, Usage, Used, spent
from pinwheel.clients import kafka, memsql
from pinwheel.core.contract import DEAD_LETTER
from pinwheel.core.settings import MemsqlSettings
from pinwheel.generate.catalogue import Catalogue
from pinwheel.install import tools
from pinwheel.install.progress import PlainProgress
from pinwheel.lake import events_table
from pinwheel.local import environment, processes
from pinwheel.local.settings import LocalSettings

BASELINES = Path(__file__).parent / "baselines"
START_SECONDS = 120
TUTORIAL_OPTIONS = (
    "--conf",
    "spark.sql.shuffle.partitions=4",
    "--conf",
    "spark.ui.enabled=false",
)  # 200 is for clusters


@dataclass(frozen=True)
class Job:
    """One workload: number of events, and their seed.

    ``paused`` is how the stream waits for the backlog; ``turn`` is a file to lock while the clock runs, for benchmarks
    that share a machine. ``executors`` are the stream's, each a process with one core; 0: threads of the driver's JVM.
    ``day``: so many events of today are in the rollups before the steady rate begins.
    """

    events: int
    seed: int
    paused: str = "control"
    turn: Path | None = None
    executors: int = 0
    day: int = 0


@dataclass
class Run:
    """Cost of a run: seconds, and CPU-seconds by part; ``wrong`` is empty when all tables equal the truth."""

    contender: str
    events: int
    seed: int
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    more: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds


def pinwheel(job: Job) -> Run:
    """The whole stack: measured from the stream's resumption until the last row and rollup is in MemSQL."""
    run = Run("pinwheel", job.events, job.seed)
    with arena("pinwheel", airflow=True) as under_test:
        usage = Usage(under_test.stack.settings)
        warm = under_test.warm()
        control = job.paused == "control"
        (under_test.pause if control else under_test.freeze)()
        first = under_test.landed_offsets()
        truth = under_test.backlog(job.events, job.seed)
        with taken(job.turn), Peak(usage) as peak:
            idle, asked = usage.cpu(), time.time()
            (under_test.resume if control else under_test.thaw)()
            before, started = _start(under_test, usage, asked) if control else (idle, asked)
            wait_until("every record is in the lake", under_test.landed)
            landed = landed_at(under_test)
            run.seconds = under_test.settle() - started
            after = usage.cpu()
        run.cpu = spent(before, after)
        run.more = {
            "start_seconds": started - asked,
            "start_cpu": sum(spent(idle, before).values()),
            "landing_seconds": landed - started,
            "rows_seconds": under_test.merged_at() - started,
            "driver_mb": peak.of(*DRIVER),
            "stack_mb": peak.of(),
        }
        run.wrong = _compare_pinwheel(under_test, [warm, truth]) | compare_lake(under_test, first, job.events)
    return run


def _start(under_test: Arena, usage: Usage, asked: float) -> tuple[Used, float]:
    """Wait until the new driver begins to read; returns the CPU used until then, and the time in Unix seconds."""
    wait_until("the driver runs", under_test.driven, START_SECONDS)
    wait_until("the stream begins to read", lambda: (under_test.started_at() or 0) >= asked - 1, START_SECONDS)
    return usage.cpu(), under_test.started_at() or 0.0


def landed_at(under_test: Arena) -> float:
    """When the newest rows were committed to the lake, in Unix seconds."""
    events = DeltaTable(under_test.events_uri)
    commits = events_table.commits(events, events.version() - 5)
    return max(c.committed_at.timestamp() for c in commits if c.rows)


def _compare_pinwheel(under_test: Arena, folders: Iterable[Path]) -> dict[str, int]:
    truth = Truth(folders, under_test.stack.settings.catalogue_seed)
    settings = environment.memsql(under_test.stack.settings, under_test.stack.credentials, "report")
    wrong = _compare(truth, settings, {"creator_id": "pin_creator_id"}, ROLLUPS)
    rows = DeltaTable(under_test.events_uri).to_pyarrow_dataset()
    dead = rows.count_rows(filter=pc.field("event_type") == DEAD_LETTER)
    quarantined = int(under_test.query("SELECT COUNT(*) AS n FROM quarantine")[0]["n"])
    return wrong | _found({"dead letters": abs(dead - truth.dead), "quarantine": quarantined})


def compare_lake(under_test: Arena, first: dict[int, int], events: int) -> dict[str, int]:
    """Check that each offset that Kafka assigned is in the lake once."""
    rows = DeltaTable(under_test.events_uri).to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
    ends = kafka.end_offsets(under_test.kafka)
    wrong = {"events in Kafka": abs(sum(ends.values()) - sum(first.values()) - events)}
    for partition, end in ends.items():
        offsets = rows.filter(pc.equal(rows["kafka_partition"], partition))["kafka_offset"]
        whole = len(offsets) == end and pc.count_distinct(offsets).as_py() == end
        wrong[f"offsets of partition {partition}"] = 0 if whole else abs(len(offsets) - end) + 1
    return _found(wrong)


def _compare(truth: Truth, settings: MemsqlSettings, renamed: dict[str, str], rollups: Iterable[str]) -> dict[str, int]:
    rows = {f"{kind}s": truth.wrong_rows(settings, kind, renamed) for kind in COLUMNS}
    return _found(rows | {name: truth.wrong_buckets(settings, name) for name in rollups})


def _found(wrong: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in wrong.items() if count}


def plain(job: Job) -> Run:
    """Baseline (a): a plain consumer."""
    return _consumer(job, "plain", "plain_consumer.py")


def floor(job: Job) -> Run:
    """The floor: the plain consumer in two processes, with LOAD DATA."""
    return _consumer(job, "floor", "floor.py")


def _consumer(job: Job, name: str, script: str) -> Run:
    return _baseline(job, name, [sys.executable, str(BASELINES / script)], lambda _: None, keeps_dead=True)


def tutorial(job: Job) -> Run:
    """Baseline (b): Spark as in tutorials."""
    settings = LocalSettings()
    tools.fetch(tools.bench_tools(settings.tools_dir), PlainProgress())
    folders = (settings.tools_dir / "jars" / name for name in ("spark", "bench"))
    jars = ",".join(str(jar) for folder in folders for jar in folder.glob("*.jar") if "delta" not in jar.name)
    submit = str(tools.spark_home() / "bin" / "spark-submit")
    options = ["--master", "local[2]", "--driver-memory", "2g", "--jars", jars, *TUTORIAL_OPTIONS]
    return _baseline(job, "tutorial", [submit, *options, str(BASELINES / "tutorial_spark.py")], _fill_catalogue)


def _baseline(
    job: Job, name: str, command: list[str], prepare: Callable[[MemsqlSettings], None], *, keeps_dead: bool = False
) -> Run:
    """Run a baseline with only Kafka, the database and the Pin API; measured from the program's start to its end."""
    run = Run(name, job.events, job.seed)
    with arena(name, airflow=False) as under_test:
        stack = under_test.stack
        start = json.dumps(dict.fromkeys(range(stack.settings.partitions), 0))
        folder = under_test.backlog(job.events, job.seed)
        database = f"baseline_{name}"
        under_test.make_database(database)
        owner = environment.memsql(stack.settings, stack.credentials, "admin")
        theirs = owner.model_copy(update={"memsql_database": database})
        prepare(theirs)
        usage = Usage(stack.settings)
        with taken(job.turn), Program(stack.settings, "program") as program:
            before, began = usage.cpu(), time.monotonic()
            _run([*command, "--database", database, "--start", start], owner, program.mark)
            run.seconds = time.monotonic() - began
        run.cpu = {"program": program.cpu} | spent(before, usage.cpu())
        truth = Truth([folder], stack.settings.catalogue_seed)
        run.wrong = _compare(truth, theirs, {}, BASELINE_ROLLUPS)
        if keeps_dead:
            run.wrong |= _found({"dead letters": truth.wrong_dead(theirs)})
    return run


def _run(command: list[str], owner: MemsqlSettings, mark: str) -> None:
    more = {
        "PINWHEEL_MEMSQL_USER": owner.memsql_user,
        "PINWHEEL_MEMSQL_PASSWORD": owner.memsql_password.get_secret_value(),
        processes.MARK: mark,
    }
    subprocess.run(command, env={**os.environ, **more}, check=True)


def _fill_catalogue(settings: MemsqlSettings) -> None:
    """Create the tables and insert all pins, which the tutorial takes as given."""
    with memsql.connect(settings) as connection, connection.cursor() as cursor:
        for sql in (BASELINES / "tables.sql").read_text().split(";\n"):
            if sql.strip():
                cursor.execute(sql)
        cursor.execute(
            "CREATE TABLE pins_catalogue (pin_id BIGINT PRIMARY KEY, creator_id BIGINT, brand_id BIGINT, "
            "category VARCHAR(64))"
        )
        catalogue = Catalogue()
        pins = catalogue.pin_rows(range(1, catalogue.pins + 1))
        cursor.executemany(
            "INSERT INTO pins_catalogue VALUES (%(pin_id)s, %(creator_id)s, %(brand_id)s, %(category)s)", pins
        )
        connection.commit()


def as_json(run: Run) -> str:
    """A line for the log of runs."""
    return json.dumps(asdict(run))
