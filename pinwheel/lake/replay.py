"""Replay: dead letters that meet today's contract come home as events.

A letter's bytes are parsed again. One that passes becomes the event that it is, in the same row: one commit takes the
letter away and puts the event there, so a record is never in the lake twice, nor missing. The change feed brings it to
the tables like any other change. All others stay as they are.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel.core.contract import DEAD_LETTER, LAKE_COLUMNS, LINEAGE, DeadReason
from pinwheel.core.errors import AskedError
from pinwheel.core.settings import ReplaySettings
from pinwheel.lake import dead_letters, events_table
from pinwheel.lake.changes import change
from pinwheel.lake.replay_outcome import EXPIRED, Replayed, count

log = logging.getLogger(__name__)

NEVER = (  # no bytes, or only the first ones
    *(DeadReason.EMPTY, DeadReason.TOO_LARGE),
    *(DeadReason.UNPROCESSABLE, DeadReason.ERASED),
)
BATCH_ROWS = 2000  # parsed at once
CHUNK_ROWS = 20_000  # landed at once: each commit rewrites the day's files, so not fewer
CHUNK_BYTES = 64 * 2**20  # in memory
SCHEMA = events_table.arrow_schema()


class Steps(Protocol):
    """The stream's way with records; see ``spark_jobs.landing_task``."""

    def parse(self, records: pa.Table) -> pa.Table:
        """Check records against the contract: one row per record, in order."""

    def enrich(self, parsed: pa.Table) -> pa.Table:
        """Add pins and places: the lake's rows. Saves embedded pins to ``pin_cache``."""


@dataclass(frozen=True)
class Wanted:
    """Which letters to replay; None: all. ``since`` and ``until`` (exclusive) are times of Kafka."""

    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    event_type: str | None = None

    @classmethod
    def by_form(cls, form: Mapping[str, Any]) -> "Wanted":
        """As a person asked for it: ``reason``, ``event_type``, and ``from_time`` and ``to_time`` as texts.

        Raises:
            AskedError: a time is none.
        """
        return cls(form["reason"], _time(form["from_time"]), _time(form["to_time"]), form["event_type"])


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise AskedError(f"{text!r} is no time; give one as 2026-03-14T12:00Z") from None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def replay(
    settings: ReplaySettings, wanted: Wanted, steps: Steps, by: str, *, dry_run: bool, kept_from: date = date.min
) -> Replayed:
    """Bring home the letters that pass, a day after the other; with ``dry_run`` only look, and write nothing.

    Dies before a commit: its letters are letters still, and the next run takes them. After it: they are events, and no
    run finds them again. Two at once: Delta refuses one commit, whose retry finds no letter.

    Args:
        settings: the lake, the limits of a record, and how many letters a run lands at most.
        wanted: which letters.
        steps: the stream's.
        by: the person who wants it, for the commit.
        dry_run: look at all wanted letters.
        kept_from: the tables' first day (``merge.ledger``): an event of an earlier one stays a letter, because the
            merge would only set it aside.
    """
    table = events_table.open_table(settings.events_uri)
    if table is None:
        return Replayed()
    if not dry_run:
        events_table.create_table(settings.events_uri)  # a new event type may have columns that it does not have yet
    run = _Run(settings, wanted, steps, by, dry_run, kept_from)
    for day, letters in _days(table, wanted):
        run.take_day(day, letters)
        if run.is_full:
            break
    done = run.done
    log.info("replayed dry_run=%s by=%s letters=%d landed=%d", dry_run, by, done.letters, done.landed)
    return done


class _Run:
    """A run so far."""

    def __init__(
        self, settings: ReplaySettings, wanted: Wanted, steps: Steps, by: str, dry_run: bool, kept_from: date
    ) -> None:
        self._uri, self._room = settings.events_uri, settings.replay_max_rows
        self._wanted, self._steps, self._by, self._dry_run = wanted, steps, by, dry_run
        self._kept_from = kept_from
        self.done = Replayed()

    @property
    def is_full(self) -> bool:
        """Whether a letter that passes had no room any more."""
        return self.done.more_left and not self._dry_run

    def take_day(self, day: date, letters: Iterable[pa.Table]) -> None:
        """Replay a day's letters, chunk by chunk."""
        chunk: list[pa.Table] = []
        for batch in letters:
            chunk.append(self._passing(batch))
            if sum(t.num_rows for t in chunk) >= CHUNK_ROWS or sum(t.nbytes for t in chunk) >= CHUNK_BYTES:
                self._land(day, chunk)
                chunk = []
            if self.is_full:
                break
        self._land(day, chunk)

    def _passing(self, letters: pa.Table) -> pa.Table:
        """Count the letters; returns those that pass and have room, parsed."""
        self.done.letters += letters.num_rows
        never = pc.is_in(letters["dead_reason"], pa.array(NEVER, pa.string()))
        for reason in letters["dead_reason"].filter(never).to_pylist():
            self.done.never[reason] = self.done.never.get(reason, 0) + 1
        letters = letters.filter(pc.invert(never))
        parsed = self._steps.parse(_records(letters))
        dead = pc.equal(parsed["event_type"], DEAD_LETTER)
        lacking = parsed.filter(dead)
        count(self.done.lacking, lacking, lacking)
        passing, were = self._kept(parsed.filter(pc.invert(dead)), letters.filter(pc.invert(dead)))
        count(self.done.passing, passing, were)
        self.done.more_left |= passing.num_rows > self._room
        passing = passing.slice(0, self._room)
        self._room -= passing.num_rows
        return passing

    def _kept(self, passing: pa.Table, were: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Those of the events, and what they were, whose day is kept; the others are counted as lacking."""
        kept = pc.greater_equal(passing["event_date"], pa.scalar(self._kept_from))
        expired = pc.invert(kept)
        count(self.done.lacking, passing.filter(expired), were.filter(expired), EXPIRED)
        return passing.filter(kept), were.filter(kept)

    def _land(self, day: date, chunk: Sequence[pa.Table]) -> None:
        """Turn letters into events, in one commit."""
        if self._dry_run or not any(part.num_rows for part in chunk):
            return
        rows = self._steps.enrich(_each_once(pa.concat_tables(chunk))).select(SCHEMA.names).cast(SCHEMA)
        bounds = pc.min_max(rows["kafka_offset"]).as_py()
        same = " AND ".join(f"t.{name} = s.{name}" for name in LINEAGE)  # the time tells records of two logs apart
        letters = (
            f"t.event_type = '{DEAD_LETTER}' AND t.event_date = DATE '{day}' "
            f"AND t.kafka_offset BETWEEN {bounds['min']} AND {bounds['max']} AND {same}"
        )
        values = {c.name: f"s.{c.name}" for c in LAKE_COLUMNS}
        self.done.landed += change(self._uri, rows, letters, values, {"replayed": rows.num_rows, "by": self._by})


def _each_once(parsed: pa.Table) -> pa.Table:
    """Each record once, as MERGE wants it: after a truncated log was read again, the lake has copies of its letters."""
    numbered = parsed.append_column("row", pa.array(range(parsed.num_rows)))
    return parsed.take(numbered.group_by(LINEAGE).aggregate([("row", "min")])["row_min"])


def _days(table: DeltaTable, wanted: Wanted) -> Iterator[tuple[date, Iterator[pa.Table]]]:
    """The days with letters, oldest first, each with its wanted letters in small tables."""
    paths: dict[date, list[str]] = defaultdict(list)
    for file in events_table.files(table).to_pylist():
        if file["partition.event_type"] == DEAD_LETTER and _is_within(file["partition.event_date"], wanted):
            paths[file["partition.event_date"]].append(file["path"])
    for day in sorted(paths):
        scanner = dead_letters.opened(table, sorted(paths[day])).scanner(
            filter=_condition(wanted), batch_size=BATCH_ROWS, batch_readahead=1, fragment_readahead=1
        )
        yield day, (_of_type(pa.Table.from_batches([batch]), wanted.event_type) for batch in scanner.to_batches())


def _is_within(day: date, wanted: Wanted) -> bool:
    """A letter's day is that of its Kafka time."""
    first = wanted.since.astimezone(UTC).date() if wanted.since else date.min
    last = wanted.until.astimezone(UTC).date() if wanted.until else date.max
    return first <= day <= last


def _condition(wanted: Wanted) -> pc.Expression:
    found = pc.scalar(True)
    if wanted.reason:
        found &= pc.field("dead_reason") == wanted.reason
    if wanted.since:
        found &= pc.field("kafka_timestamp") >= pa.scalar(wanted.since, pa.timestamp("us", "UTC"))
    if wanted.until:
        found &= pc.field("kafka_timestamp") < pa.scalar(wanted.until, pa.timestamp("us", "UTC"))
    return found


def _of_type(letters: pa.Table, event_type: str | None) -> pa.Table:
    if event_type is None:
        return letters
    return letters.filter(pa.array([_type_of(v) == event_type for v in letters["dead_value"].to_pylist()], pa.bool_()))


def _type_of(value: bytes | None) -> Any:
    """The type that a record says it has, the first one if it says several; None if it can't be read."""
    try:
        read = json.loads(value or b"", object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    except (ValueError, RecursionError):
        return None
    return read.get("event_type") if isinstance(read, dict) else None


def _records(letters: pa.Table) -> pa.Table:
    """Letters as the records that they were."""
    value = letters["dead_value"]
    return pa.table({"value": value, "value_bytes": pc.binary_length(value), **{n: letters[n] for n in LINEAGE}})
