"""A known stream through the whole running system, compared row by row with what was sent."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from deltalake import DeltaTable

from pinwheel.clients import kafka
from pinwheel.clients.kafka import librdkafka_options
from pinwheel.core.settings import KafkaSettings, StreamSettings, load
from pinwheel.lake import events_table
from pinwheel.lake.events_table import Commit
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock
from tests.support.airflow_client import Airflow
from tests.support.oracle import Oracle, wait_until
from tests.support.programs import PRODUCE

EVENTS = 30_000
SEED_OF_COMPACTION = 3
REPLAYED = Path(__file__).resolve().parents[3] / "shared" / "data" / "pinterest_interactions.tsv"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the truth, in which the sent events are written down."""
    return tmp_path_factory.mktemp("truth")


def produce(folder: Path, seed: int, *more: str) -> None:
    subprocess.run([*PRODUCE, "--seed", str(seed), "--truth-dir", str(folder), *more], check=True, capture_output=True)


def send_again(settings: KafkaSettings, partition: int, count: int) -> int:
    """Send the first records of a partition once more, to another place of the topic; returns how many."""
    consumer = Consumer({**librdkafka_options(settings), "group.id": "send-again"})
    consumer.assign([TopicPartition(settings.topic, partition, 0)])
    found = consumer.consume(count, timeout=30)
    consumer.close()
    producer = Producer(librdkafka_options(settings))
    for record in found:
        producer.produce(settings.topic, record.value(), record.key())
    assert producer.flush(30) == 0
    return len(found)


def kill_driver(stack: Stack) -> int:
    """SIGKILL to the driver's whole session, as when its machine dies; returns the id of the killed process."""
    found = driver_lock.running(stack.settings.driver_lock_path)
    assert found is not None
    for process in [*psutil.Process(found.pid).parents()[:1], psutil.Process(found.pid)]:
        process.send_signal(signal.SIGKILL)
    return found.pid


def test_a_stream_sent_again_and_a_driver_killed_in_the_middle(running_stack: Stack, sent: Path) -> None:
    oracle = Oracle(running_stack)
    produce(sent, 1, "--rate", "0", "--count", str(EVENTS), "--backfill-hours", "6")
    oracle.settle()
    oracle.check(sent)

    again = sum(send_again(oracle.kafka, partition, 1000) for partition in (0, 1))
    assert again == 2000
    oracle.settle()
    oracle.check(sent, resent=again)

    process = subprocess.Popen([*PRODUCE, "--seed", "2", "--truth-dir", str(sent), "--rate", "500", "--count", "10000"])
    time.sleep(5)
    killed = kill_driver(running_stack)
    seconds = wait_until("the driver runs again", lambda: _is_running(running_stack, other_than=killed), 120)
    print(f"driver running again after {seconds:.1f} s")
    assert process.wait(60) == 0
    oracle.settle()
    oracle.check(sent, resent=again)


def test_people_who_change_something_at_once_are_all_answered(running_stack: Stack) -> None:
    """Six at a time, while tasks report: Airflow alone stops for a minute here, and answers with errors."""
    airflow = Airflow(running_stack)

    def keep(number: int) -> str:
        return str(airflow.post("variables", {"key": f"kept-at-once-{number}", "value": "1"})["key"])

    with ThreadPoolExecutor(6) as people:
        kept = list(people.map(keep, range(30)))
        assert len(kept) == 30
        list(people.map(lambda key: airflow.delete(f"variables/{key}"), kept))


def _is_running(stack: Stack, other_than: int) -> bool:
    found = driver_lock.running(stack.settings.driver_lock_path)
    return found is not None and found.pid != other_than


COMPACT = """
import os
from datetime import UTC, datetime
from pinwheel.lake.compaction import compact
from pinwheel.operate.retention import oldest_unread
from pinwheel.core.settings import CompactSettings, load
os.nice(10)
settings = load(CompactSettings)
print(sum(r.files_before - r.files_after for r in compact(settings, datetime.now(UTC), False, oldest_unread(settings))))
"""


def compact_all() -> int:
    """Compact as compact_tables does, but every folder of more than one file; returns how many files that saves."""
    few = {"PINWHEEL_COMPACT_OPEN_FILES": "2", "PINWHEEL_COMPACT_CLOSED_FILES": "2"}
    done = subprocess.run(
        [sys.executable, "-c", COMPACT], env=os.environ | few, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def gaps(commits: list[Commit]) -> list[float]:
    """Seconds between one landing and the next."""
    landed = [c.committed_at for c in commits if c.rows is not None]
    return [(b - a).total_seconds() for a, b in pairwise(landed)]


def test_compaction_slows_the_stream_by_a_batch_at_most(running_stack: Stack, tmp_path: Path) -> None:
    oracle = Oracle(running_stack)
    produce(tmp_path / "first", SEED_OF_COMPACTION + 1, "--rate", "0", "--count", "1000")  # the stream is there
    oracle.settle()
    uri, first = oracle.lake.events_uri, DeltaTable(oracle.lake.events_uri).version()
    words = ("--seed", str(SEED_OF_COMPACTION), "--truth-dir", str(tmp_path / "sent"), "--rate", "1000")
    process = subprocess.Popen([*PRODUCE, *words, "--count", "60000"])
    wait_until(
        "it lands undisturbed", lambda: len(gaps(events_table.commits(events_table.open_table(uri), first))) >= 6, 60
    )

    def landed_more(there: int) -> bool:
        return (
            process.poll() is not None or len(gaps(events_table.commits(events_table.open_table(uri), first))) > there
        )

    middle, fewer = DeltaTable(uri).version(), []
    while process.poll() is None:
        fewer.append(compact_all())
        # A run is shorter than a trigger: the next one begins when there is something for it.
        there = len(gaps(events_table.commits(events_table.open_table(uri), first)))
        wait_until("another landing", partial(landed_more, there))
    assert process.returncode == 0

    commits = events_table.commits(events_table.open_table(uri), first)
    usual = gaps([c for c in commits if c.version <= middle])
    meanwhile = gaps([c for c in commits if c.version >= middle])
    print(f"landings every {usual} s, under compaction {meanwhile} s; files fewer by {fewer}")
    assert len(fewer) >= 2
    assert min(fewer) > 0, "nothing was rewritten"
    batch = max(load(StreamSettings).trigger_seconds, *usual)  # as long as a batch takes on this machine, now
    assert max(meanwhile) <= 2 * batch + 1
    oracle.settle()
    oracle.check_arrived(tmp_path / "sent", SEED_OF_COMPACTION)


@pytest.mark.skipif(not REPLAYED.exists(), reason=f"{REPLAYED.name} is not beside the project")
def test_a_replayed_file_is_counted_as_the_file_counts(running_stack: Stack, tmp_path: Path) -> None:
    oracle = Oracle(running_stack)
    oracle.settle()
    before = Counter({r["pin_id"]: r["n"] for r in oracle.query("SELECT pin_id, COUNT(*) AS n FROM repins GROUP BY 1")})
    lines = REPLAYED.read_text().splitlines()[:5000]
    part = tmp_path / "part.tsv"
    part.write_text("\n".join(lines) + "\n")

    subprocess.run([sys.executable, "-m", "pinwheel.generate.replay", str(part)], check=True, capture_output=True)
    oracle.settle()

    wanted = Counter(int(line.split("\t")[1]) for line in lines)
    found = Counter({r["pin_id"]: r["n"] for r in oracle.query("SELECT pin_id, COUNT(*) AS n FROM repins GROUP BY 1")})
    assert found - before == wanted
    assert oracle.query("SELECT * FROM quarantine") == []
    assert sum(kafka.end_offsets(oracle.kafka).values()) >= 5000
