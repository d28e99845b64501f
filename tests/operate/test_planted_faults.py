"""Planted faults, in a pipeline of real parts: each is one alert that says cause and action, and one recovery.

Records flow each minute from a real topic into a real lake and database, and watch_health looks after each.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from pydantic import SecretStr

from pinwheel.alerts import raising
from pinwheel.alerts.catalogue import ALERTS
from pinwheel.alerts.raising import deliver_waiting, raise_alert, resolve_alert
from pinwheel.clients import kafka, memsql
from pinwheel.clients.memsql import Row
from pinwheel.core.contract import DEAD_LETTER, TABLES
from pinwheel.core.settings import HealthSettings, MemsqlSettings, MergeSettings, load
from pinwheel.core.times import utc_now
from pinwheel.lake.landing import Landing
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack
from pinwheel.merge import ledger
from pinwheel.merge.session import Session
from pinwheel.merge.turns import ALERT_AFTER_ERRORS
from pinwheel.operate import health
from pinwheel.rollup.session import RollupSession
from pinwheel.stream import driver_lock
from tests.support.database import environment_of
from tests.support.lake_rows import write
from tests.support.lakes import event
from tests.support.ports import free_port
from tests.support.receivers import Clock, Inbox, Mailbox
from tests.support.shown_messages import check_example, part, show

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text()
BASE_URL = "https://airflow.example.com"
A_MINUTE = 20  # records
BEFORE, DURING, AFTER = 1, 4, 8  # looks; after a fault the pipeline catches up for five
KINDS = ["pin", "repin", "comment", "login"]


@dataclass
class Pipeline:
    """The work of each minute; a fault changes it."""

    merging: MergeSettings
    settings: HealthSettings  # of watch_health
    clock: Clock
    kind: str = ""  # of what lands; empty: all kinds
    ids: bool = True  # the next events have ids
    sends: bool = True
    lands: bool = True
    merges: bool = True
    state: dict[str, Any] = field(default_factory=lambda: {"launched_at": 1.0})  # of the stream's supervisor
    lock: ExitStack = field(default_factory=ExitStack)
    waiting: int = 0
    landed: int = 0

    def start_driver(self) -> None:
        self.lock.enter_context(driver_lock.hold_lock(self.settings.driver_lock_path))

    def minute(self) -> None:
        """Records come, land and are merged, as far as there is no fault; then watch_health looks."""
        if self.sends:
            self._send()
        if self.lands:
            self._land()
        if self.merges:
            self._merge()
        (self.settings.stream_dir / "supervisor.json").write_text(json.dumps(self.state))
        health.watch(self.settings, self.clock.now.replace(tzinfo=UTC), raise_alert, resolve_alert)
        deliver_waiting()
        self.clock.wait(minutes=1)

    def _send(self, records: int = A_MINUTE) -> None:
        at = int(self.clock.now.replace(tzinfo=UTC).timestamp() * 1000)
        producer = Producer(kafka.librdkafka_options(self.settings))
        for _ in range(records):
            producer.produce(self.settings.topic, b"{}", timestamp=at, partition=0)
        assert producer.flush(30) == 0
        self.waiting += records

    def _land(self) -> None:
        at, rows = self.clock.now.replace(tzinfo=UTC), []
        for offset in range(self.landed, self.landed + self.waiting):
            kind = self.kind or KINDS[offset % 4]
            times = {"occurred_at": at, "kafka_timestamp": at}
            rows.append(event(kind, f"e{offset}" if self.ids else None, offset, **times))
        self.landed, self.waiting, self.ids = self.landed + self.waiting, 0, True
        if rows:
            Landing(self.settings.events_uri, self.settings.topic).commit(write(self.settings.events_uri, rows))

    def _merge(self) -> None:
        at_once = self.merging.model_copy(update={"rollup_interval_seconds": 0.0})
        sessions = [Session(table, self.merging, raise_alert, resolve_alert) for table in TABLES]
        for session in (*sessions, RollupSession(at_once, raise_alert, resolve_alert)):
            for _ in range(ALERT_AFTER_ERRORS):
                session.turn()
            session.close()


@pytest.fixture
def pipeline(
    stack_with_kafka: Stack,
    settings: MergeSettings,
    inbox: Inbox,
    mailbox: Mailbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pipeline]:
    """A pipeline in which all is well, with a driver that is only its lock."""
    monkeypatch.setattr(raising, "_unstored", set())
    monkeypatch.setattr(kafka, "REQUEST_SECONDS", 1.0)  # each look at a broker that is away waits for it several times
    monkeypatch.setenv("PINWHEEL_ALERT_URLS", f"{inbox.url} {mailbox.url}&format=html")
    monkeypatch.setenv("PINWHEEL_BASE_URL", BASE_URL)
    for variable, value in environment_of(settings).items():
        monkeypatch.setenv(variable, value)
    broker = client(stack_with_kafka.settings, stack_with_kafka.credentials)
    stream_dir = Path(settings.lake_uri + "-stream")
    stream_dir.mkdir()
    watched = load(
        HealthSettings,
        **settings.model_dump(include=set(MemsqlSettings.model_fields) | {"lake_uri"}),
        **broker,
        topic=f"planted-{uuid4()}",
        stream_dir=stream_dir,
        driver_lock_path=stream_dir / "driver.lock",
        health_max_pending_pins=0,
    )
    # With the producers' times, as minutes pass in an instant here.
    topic = NewTopic(watched.topic, 1, 1, config={"message.timestamp.type": "CreateTime"})
    admin = kafka.admin_client(watched)
    admin.create_topics([topic])[watched.topic].result(30)
    clock.now = (utc_now().replace(tzinfo=None) + timedelta(minutes=1)).replace(second=0, microsecond=0)
    made = Pipeline(settings, watched, clock)
    made.start_driver()
    with made.lock:
        yield made


def driver_dies(of: Pipeline) -> None:
    of.lands = False
    of.lock.close()


def driver_hangs(of: Pipeline) -> None:
    of.lands = False


def stop_is_forgotten(of: Pipeline) -> None:
    of.lands = False
    of.lock.close()
    of.state |= {"stopped_at": of.clock.now.replace(tzinfo=UTC).timestamp() - 7200, "stopped_by": "ann"}


def broker_is_away(of: Pipeline) -> None:
    of.sends = of.lands = False
    of.settings = of.settings.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{free_port()}"})


def database_is_away(of: Pipeline) -> None:
    of.merges = False
    of.settings = of.settings.model_copy(update={"memsql_port": free_port()})


def lake_is_damaged(of: Pipeline) -> None:
    of.lands = of.merges = False
    newest = max((Path(of.settings.events_uri) / "_delta_log").glob("*.json"))
    newest.with_name(f"{int(newest.stem) + 1:020}.json").write_text("no JSON")


def disk_is_full(of: Pipeline) -> None:
    of.settings = of.settings.model_copy(update={"health_max_disk_share": 0.0})


def rows_break_a_rule(of: Pipeline) -> None:
    of.kind, of.ids = "repin", False


def password_is_wrong(of: Pipeline) -> None:
    wrong = {"memsql_password": SecretStr("guessed")}
    of.settings, of.merging = of.settings.model_copy(update=wrong), of.merging.model_copy(update=wrong)


def table_is_changed(of: Pipeline) -> None:
    run(of, "ALTER TABLE comments RENAME COLUMN text TO text_away")


def letters_are_dead(of: Pipeline) -> None:
    of.kind = DEAD_LETTER


def pins_are_missing(of: Pipeline) -> None:
    run(of, "INSERT INTO pending_pins (pin_id, event_date) VALUES (9, CURDATE())")


FAULTS: dict[str, tuple[Callable[[Pipeline], None], str, str]] = {
    "the driver is killed": (driver_dies, "driver_down", "The stream's driver does not run"),
    "the driver hangs": (driver_hangs, "open_batch_seconds", "Nothing has landed for"),
    "a stop is forgotten": (stop_is_forgotten, "stopped_seconds", "The stream was stopped on purpose"),
    "the broker is away": (broker_is_away, "source_down", "Kafka does not answer"),
    "MariaDB is away": (database_is_away, "source_down", "MemSQL does not answer, or refuses the login"),
    "the lake is damaged": (lake_is_damaged, "source_down", "The lake can't be read"),
    "the disk is full": (disk_is_full, "disk_used_share", "The lake's disk is"),
    "a slice is held": (rows_break_a_rule, "slice_held", "event_id"),
    "a password is wrong": (password_is_wrong, "source_down", "MemSQL does not answer, or refuses the login"),
    "a table is changed": (table_is_changed, "merge_failing", "Unknown column"),
    "dead letters flood in": (
        letters_are_dead,
        "dead_letter_share",
        "of the records that landed last are dead letters",
    ),
    "pins are missing": (pins_are_missing, "pending_pins", "rows wait for their pin"),
}


def run(of: Pipeline, sql: str) -> list[Row]:
    with memsql.connect(of.merging) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        connection.commit()
        return list(cursor.fetchall())


def heal(of: Pipeline, well: Pipeline) -> None:
    """All is as it was; what stays for people is done as the runbooks say."""
    if of.kind == DEAD_LETTER:
        of._send(A_MINUTE * 100)  # as of a busy pipeline: the share is that of the last commits' records
    of.settings, of.merging, of.kind, of.ids, of.state = well.settings, well.merging, "", True, {"launched_at": 1.0}
    of.sends = of.lands = of.merges = True
    for bad in (Path(of.settings.events_uri) / "_delta_log").glob("*.json"):
        if bad.read_text() == "no JSON":
            bad.unlink()
    run(of, "DELETE FROM pending_pins WHERE pin_id = 9")
    run(of, "ALTER TABLE comments RENAME COLUMN IF EXISTS text_away TO text")
    for row in run(of, "SELECT slice_id FROM merge_slices WHERE state = 'held'"):
        ledger.release(of.merging, row["slice_id"], "accept", "ann")
    if driver_lock.running(of.settings.driver_lock_path) is None:
        of.start_driver()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_one_alert_and_one_recovery(
    pipeline: Pipeline, inbox: Inbox, mailbox: Mailbox, fault: str
) -> None:
    (plant, name, said), began = FAULTS[fault], pipeline.clock.now
    well = Pipeline(pipeline.merging, pipeline.settings, pipeline.clock)
    for _ in range(BEFORE):
        pipeline.minute()
    assert inbox.got == [], "nothing is wrong yet"
    plant(pipeline)
    for _ in range(DURING):
        pipeline.minute()
    raised = list(inbox.got)
    heal(pipeline, well)
    for _ in range(AFTER):
        pipeline.minute()
    show(fault, inbox.bodies, mailbox.got)
    check_example(fault, inbox.bodies, began)

    about = [found[1] for _, body in raised if (found := re.search(r"^Alert: (\w+),", body, re.MULTILINE))]
    assert about == [name]
    assert [title.partition(":")[0] for title, _ in inbox.got[len(raised) :]] == ["RESOLVED"]
    alert = ALERTS[name]
    ((_, body),) = raised
    assert said in body.partition("\n")[0]
    assert f"\nWhat it means: {alert.means}\nDo: {alert.do}\n" in body
    assert re.search(
        rf"\| \[`{alert.name}`\]\(.*?\) \| .*? \| {re.escape(alert.means)} \| {re.escape(alert.do)} \|", DOCS
    )
    assert [(mail["Subject"], part(mail, "plain").strip()) for mail in mailbox.got] == inbox.got
    assert all(part(mail, "html") for mail in mailbox.got)
    assert re.findall(r"https?://[^/\s]+", body) == [BASE_URL] * 4, "the alert, the page, the runs, the runbook"
    assert not [text for _, text in inbox.got if str(Path(pipeline.merging.lake_uri).parent) in text]
