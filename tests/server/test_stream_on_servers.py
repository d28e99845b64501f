"""The stream as it runs on servers: executors in processes of their own, lake and checkpoint in the store.

It must land the same rows as the stream on a laptop.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable
from pyarrow.fs import FileSelector, S3FileSystem

from pinwheel.clients import kafka
from pinwheel.clients.kafka_topic import ensure_topic
from pinwheel.clients.spark import AUTH
from pinwheel.core.settings import load
from pinwheel.generate.produce import produce
from pinwheel.generate.settings import ProduceSettings
from pinwheel.lake import events_table
from pinwheel.local import environment
from pinwheel.local.kafka import client
from pinwheel.local.processes import in_session
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock
from tests.support.ports import sockets
from tests.support.programs import LAUNCH
from tests.support.spark import spark_in
from tests.support.store import fetch

EVENTS, PARTITIONS, TOPIC = 3000, 4, "servers.events"
EXECUTORS = 2
LAND_SECONDS = 240.0  # for a busy machine; a few are enough otherwise
EXECUTOR = "CoarseGrainedExecutorBackend"
OWN = ["pin_status"]  # how a pin was found depends on the cache's content at that time


@dataclass(frozen=True)
class Ran:
    """A stream that landed everything and was then stopped."""

    exit_code: int
    executors: int
    rows: list[dict[str, Any]]
    log: str
    listening: set[str]  # addresses


@pytest.fixture(scope="module")
def sent(stack: Stack) -> ProduceSettings:
    """Events in a topic of their own."""
    broker = client(stack.settings, stack.credentials)
    settings = load(ProduceSettings, **broker, topic=TOPIC, produce_count=EVENTS, produce_rate=0)
    ensure_topic(settings, PARTITIONS, replicas=1)
    produce(settings)
    for end in ("abort_transaction", "commit_transaction"):
        in_transaction(settings, end)
    return settings


def in_transaction(settings: ProduceSettings, end: str) -> None:
    """A login in each partition, in a transaction that is ended by this method of a producer."""
    producer = Producer({**kafka.librdkafka_options(settings), "transactional.id": end})
    producer.init_transactions(30)
    producer.begin_transaction()
    now = datetime.now(UTC).isoformat()
    for partition in range(PARTITIONS):
        login = {
            "event_id": f"{end} {partition}",
            "event_type": "login",
            "occurred_at": now,
            "user_id": 1,
            "client": "ios",
        }
        producer.produce(TOPIC, json.dumps(login).encode(), partition=partition)
    assert producer.flush(30) == 0
    getattr(producer, end)(30)


def run_stream(stack: Stack, sent: ProduceSettings, folder: Path, master: str, **told: str) -> Ran:
    """Launch the driver as the supervisor does, wait until it has landed all, and stop it."""
    lock = folder / "driver.lock"
    own = {
        "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": master}),
        "PINWHEEL_TOPIC": TOPIC,
        "PINWHEEL_STREAM_DIR": str(folder),
        "PINWHEEL_DRIVER_LOCK_PATH": str(lock),
        "PINWHEEL_SINGLE_TASK_ROWS": "0",  # so that the executors share a batch
        "SPARK_HOME": str(spark_in(folder)),
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",  # four JVMs that live a minute: compiling well does not pay
        **told,
    }
    whole = {**os.environ, **environment.for_airflow(stack.settings, stack.credentials), **own}
    launched = subprocess.Popen([sys.executable, "-c", LAUNCH], env=whole)
    try:
        wait_until_landed(told["PINWHEEL_LAKE_URI"], sent, launched, folder)
        found = driver_lock.running(lock)
        assert found is not None
        executors, listening = len(executors_of(folder)), addresses(found.pid)
        os.kill(found.pid, signal.SIGTERM)
        code = launched.wait(60)
    finally:
        end(launched, folder)
    rows = events_table.without_views(DeltaTable(f"{told['PINWHEEL_LAKE_URI']}/events").to_pyarrow_table())
    order = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    found_rows = rows.sort_by(order).drop_columns(OWN).to_pylist()
    return Ran(code, executors, found_rows, (folder / "driver.log").read_text(), listening)


def addresses(driver: int) -> set[str]:
    """Where the processes of the driver's session listen."""
    found = sockets(in_session(os.getsid(driver)))
    return {one.laddr.ip for _, one in found if one.status == psutil.CONN_LISTEN}


def wait_until_landed(lake_uri: str, sent: ProduceSettings, launched: subprocess.Popen[bytes], folder: Path) -> None:
    ends = kafka.end_offsets(sent)
    deadline = time.monotonic() + LAND_SECONDS
    while events_table.landed_offsets(f"{lake_uri}/events", TOPIC, ends) != {p: end for p, end in ends.items() if end}:
        log = (folder / "driver.log").read_text()[-4000:] if (folder / "driver.log").exists() else ""
        assert launched.poll() is None, log
        assert time.monotonic() < deadline, log
        time.sleep(0.5)


def executors_of(folder: Path) -> list[psutil.Process]:
    """Processes of executors that were started with this folder's driver."""
    found = []
    for process in psutil.process_iter():
        try:
            if EXECUTOR in " ".join(process.cmdline()) and str(folder) in process.environ().values():
                found.append(process)
        except psutil.Error:
            continue
    return found


def end(launched: subprocess.Popen[bytes], folder: Path) -> None:
    """Leave no process behind, whatever happened."""
    for process in (*executors_of(folder), *psutil.Process().children(recursive=True)):
        try:
            if process.pid == launched.pid or str(folder) in process.environ().values():
                process.kill()
        except psutil.Error:
            continue
    launched.wait(20)


@pytest.fixture(scope="module")
def on_a_laptop(stack: Stack, sent: ProduceSettings, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("laptop")
    return run_stream(
        stack,
        sent,
        folder,
        "local[2]",
        PINWHEEL_LAKE_URI=f"{folder}/lake",
        PINWHEEL_CHECKPOINT_URI=f"{folder}/checkpoints",
    )


@pytest.fixture(scope="module")
def on_servers(
    stack: Stack, sent: ProduceSettings, store: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ran]:
    fetch(stack.settings.tools_dir, "spark-s3")
    folder = tmp_path_factory.mktemp("servers")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        yield run_stream(
            stack,
            sent,
            folder,
            f"local-cluster[{EXECUTORS},1,1024]",
            **{AUTH: "of the cluster"},
            PINWHEEL_LAKE_URI="s3://lake/servers",
            PINWHEEL_CHECKPOINT_URI="s3a://lake/servers-checkpoints",
            PINWHEEL_SPARK_S3_JARS_DIR=str(stack.settings.tools_dir / "jars" / "spark-s3"),
        )


def test_the_same_rows_land(on_a_laptop: Ran, on_servers: Ran) -> None:
    assert len(on_servers.rows) >= EVENTS
    assert on_servers.rows == on_a_laptop.rows


def test_records_of_aborted_transactions_never_land(on_a_laptop: Ran, on_servers: Ran) -> None:
    """Nor is a partition behind that ends with the marker of a transaction: ``run_stream`` waited for its end."""
    for ran in (on_a_laptop, on_servers):
        found = {str(row["event_id"]) for row in ran.rows if "_transaction" in str(row["event_id"])}
        assert found == {f"commit_transaction {partition}" for partition in range(PARTITIONS)}


def test_executors_are_processes_of_their_own_and_share_the_work(on_a_laptop: Ran, on_servers: Ran) -> None:
    assert (on_a_laptop.executors, on_servers.executors) == (0, EXECUTORS)


def test_a_stop_ends_the_batch_in_hand(on_a_laptop: Ran, on_servers: Ran) -> None:
    assert (on_a_laptop.exit_code, on_servers.exit_code) == (0, 0), on_servers.log[-3000:]


def test_the_embedded_driver_listens_on_the_loopback_alone(on_a_laptop: Ran) -> None:
    assert on_a_laptop.listening
    assert on_a_laptop.listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_no_secret_is_in_the_driver_s_log(stack: Stack, on_a_laptop: Ran, on_servers: Ran) -> None:
    for secret in (stack.credentials.kafka_client, stack.credentials.pin_api_token, "of the cluster"):
        assert secret not in on_a_laptop.log + on_servers.log


def test_the_checkpoint_is_in_the_store(on_servers: Ran, store: dict[str, str]) -> None:
    client = S3FileSystem(
        access_key=store["AWS_ACCESS_KEY_ID"],
        secret_key=store["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=store["AWS_ENDPOINT_URL"],
    )
    found = client.get_file_info(FileSelector("lake/servers-checkpoints", recursive=True))
    assert {"metadata", "0"} <= {info.base_name for info in found if info.is_file}
