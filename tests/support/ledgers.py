"""A lake, its tables and its Kafka for the tests of the books: what a log holds, and what was landed of it."""

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.clients.kafka import Held
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import MergeSettings, SourceSettings
from pinwheel.lake import events_table, stretches
from pinwheel.lake.landing import Landing
from pinwheel.lake.stretches import Stretch
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import ONLY, Shard
from pinwheel.merge.merge import merge, next_slice
from pinwheel.quality import books_source
from pinwheel.quality.books_lines import Books
from pinwheel.stream import source_log
from pinwheel.stream.source_log import Gap
from tests.support.lake_rows import write
from tests.support.lakes import NOON, event

LOG = "engagement.events@cluster/topic"
NOW = datetime(2026, 3, 20, 14, 20, tzinfo=UTC)  # the days of the traffic are over
DrawBooks = Callable[..., Books]


@dataclass
class FakeKafka:
    """The topic: committed records by partition, and where each begins and ends."""

    log: str = LOG
    records: dict[int, set[int]] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)
    away: bool = False
    asked: list[tuple[int, tuple[tuple[int, int], ...]]] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "FakeKafka":
        """Answer for Kafka."""
        monkeypatch.setattr(books_source, "kafka", self)
        return self

    def LogReader(self, _: object) -> "FakeKafka":  # named as what it stands for
        return self

    def log_id(self) -> str:
        if self.away:
            raise MissingPartError("Kafka does not answer")
        return self.log

    def held_offsets(self, _: object) -> dict[int, Held]:
        return self.held

    def committed(self, _: object, partition: int, ranges: Sequence[tuple[int, int]]) -> list[int]:
        self.asked.append((partition, tuple(ranges)))
        mine = self.records.get(partition, set())
        return sorted(o for start, end in ranges for o in range(start, end) if o in mine)


def begin(events_uri: str, log: str = LOG, starts: dict[int, int] | None = None) -> None:
    """Let the lake begin with a log, as the stream's first start does."""
    starts = starts or {0: 0, 1: 0}
    kept = stretches.as_property([Stretch(0, log, starts, starts)])
    values = {events_table.LOG_PROPERTY: log, **kept}
    DeltaTable(events_uri).alter.set_table_properties(values, raise_if_not_exists=False)


def go_on(events_uri: str, log: str, offsets: dict[int, int], since: dict[int, int]) -> None:
    """Let the stream go on elsewhere, as a person does."""
    settings = SourceSettings(lake_uri=events_uri.removesuffix("/events"))
    source_log.write_gap(settings, Gap(log, None, offsets, since, {}, "expired", "ann"))


def land(events_uri: str, rows: Sequence[Row], ends: dict[int, int] | None = None, log: str = LOG) -> None:
    """Land rows in one commit; ``ends``: where it ends, if the last offsets hold no record."""
    manifest = write(events_uri, rows)
    spans = {p: replace(span, end=(ends or {}).get(p, span.end)) for p, span in manifest.spans.items()}
    Landing(events_uri, log).commit(replace(manifest, spans=spans))


def merge_judged(settings: MergeSettings, connection: Connection, gate: Gate, shard: Shard = ONLY) -> None:
    """Merge all that is due for a shard of every table, past the gate."""
    for table in TABLES:
        while (found := next_slice(table, settings, connection, shard)) is not None:
            with closing(found):
                merge(found, connection, gate.check(found, accepted=True))


def traffic(seed: int = 1, count: int = 300) -> tuple[list[Row], dict[int, int], set[int]]:
    """Rows of partitions 0 and 1, their ends, and the offsets of partition 0 that hold no record.

    With repeated deliveries, also on another day, late events, dead letters, and rows that the gate quarantines.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    markers = {o for o in range(count) if rng.random() < 0.05}
    for p in (0, 1):
        for offset in range(count):
            if p == 0 and offset in markers:
                continue
            kind = rng.choice(["pin", "repin", "repin", "comment", "login", "dead_letter"])
            at = NOON + timedelta(seconds=offset) - rng.choice([0, 0, 0, 1, 3]) * timedelta(days=1)
            again = [r for r in rows if r["event_type"] == kind and rng.random() < 0.02]
            event_id = again[0]["event_id"] if again else f"{kind}-{p}-{offset}"
            values: dict[str, Any] = {"occurred_at": at, "kafka_timestamp": NOON + timedelta(seconds=offset)}
            if kind == "dead_letter":
                values |= {"occurred_at": None, "user_id": None, "dead_reason": "not_json"}
                event_id = None
            values["user_id"] = None if kind == "dead_letter" else -5 if rng.random() < 0.03 else rng.randint(1, 40)
            rows.append(event(kind, event_id, offset, kafka_partition=p, **values))
    return rows, {0: count, 1: count}, markers


def run(sql: str, connection: Connection) -> None:
    """Change at least one row by hand."""
    with connection.cursor() as cursor:
        assert cursor.execute(sql) > 0
    connection.commit()


def line_of(books: Books, scope: str, name: str, number: int = 0) -> dict[str, int]:
    return dict(next(li.counts for li in books.lines if (li.scope, li.name, li.number) == (scope, name, number)))
