"""Which log the lake is landed from, and whether it may go on with the topic as it is now.

Offsets mean nothing in another log: a topic that was made anew, or another cluster. The lake keeps the id of its log (a
table property), and offsets under that id. A person may let the stream go on (``go_on``).
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from deltalake import DeltaTable

from pinwheel.alerts.catalogue import STREAM_CONTINUED
from pinwheel.alerts.raising import raise_alert
from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.errors import SourceLogError
from pinwheel.core.settings import KafkaSettings, SourceSettings
from pinwheel.lake import events_table, stretches
from pinwheel.lake.landing import Landing
from pinwheel.lake.stretches import Stretch

logger = logging.getLogger(__name__)

WAY_ON = "If that is right, a person lets the stream go on: see docs/runbooks/control_stream.md#continue-from"
EARLIEST, LATEST = "earliest", "latest"
SUBJECT = "stream_engagement"  # of the stream's alerts


@dataclass(frozen=True)
class Gap:
    """Records that the stream goes on without, by a person's decision.

    ``missing``: by partition, the offsets [from, to) of ``previous_log`` or ``log`` that are not landed; to is null if
    it is not known. ``offsets``: where it goes on in ``log``; ``since``: from where on that leaves out offsets of it.
    """

    log: str
    previous_log: str | None
    offsets: dict[int, int]
    since: dict[int, int]
    missing: dict[int, tuple[int, int | None]]
    reason: str
    by: str

    @property
    def told(self) -> str:
        """The missing offsets, for people."""
        if not self.missing:
            return "a missing record, from another offset"
        parts = [f"partition {p}: {start} to {end or 'its end'}" for p, (start, end) in sorted(self.missing.items())]
        return f"offsets of {self.previous_log or self.log} ({'; '.join(parts)})"


def claim(settings: SourceSettings) -> tuple[str, dict[int, int]]:
    """The log to land from, which the lake knows afterwards, and the next offset by partition; the table must exist.

    A lake that does not know its log yet takes this one over, with the offsets that it has landed, or from the first
    record that Kafka still has.

    Raises:
        SourceLogError: the lake may not go on with the topic as it is.
        MissingPartError: the broker does not answer, or has no such topic.
    """
    log, held = kafka.LogReader(settings).log_id(), kafka.held_offsets(settings)
    events = events_table.opened(settings.events_uri)
    refusal = _refusal(settings, events, log, held)
    if refusal:
        raise SourceLogError(refusal)
    landed = events_table.landed(events, settings.topic, held)
    if events_table.log_of(events) is not None:
        return log, dict.fromkeys(held, 0) | landed
    # Offsets first: dying in between leaves a lake that does not know its log, which takes it over again.
    starts = {p: h.start for p, h in held.items()}
    # Also of partitions that have no record yet: the next start would take what had expired before for lost.
    if known := {p: offset for p, offset in starts.items() if offset} | landed:
        Landing(settings.events_uri, log).go_on_at(known)
    first = Stretch(0, log, None if landed else starts, {} if landed else starts)
    _remember(events_table.opened(settings.events_uri), log, [first])
    return log, starts | landed


def refusal(settings: SourceSettings) -> str | None:
    """Why the lake may not go on with the topic as it is now; None: it may.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    log, held = kafka.LogReader(settings).log_id(), kafka.held_offsets(settings)
    return _refusal(settings, events_table.open_table(settings.events_uri), log, held)


def _refusal(settings: KafkaSettings, events: DeltaTable | None, log: str, held: dict[int, Held]) -> str | None:
    known = events_table.log_of(events)
    if known not in (None, log):
        return (
            f"the lake is landed from the log {known}, but the topic {settings.topic} is now {log}: it was deleted and "
            f"made anew, or it is on another cluster. {WAY_ON}"
        )
    landed = events_table.landed(events, settings.topic, held)
    if known:
        landed = dict.fromkeys(held, 0) | landed  # a partition that was added since, or was empty
    for partition, offset in landed.items():
        # Older drivers read open transactions too.
        if offset > held[partition].end and offset > (end := kafka.written_ends(settings)[partition]):
            return (
                f"partition {partition} of {log} ends at offset {end}, but {offset} is the next one to land: the log "
                f"was truncated. {WAY_ON}"
            )
        if offset < held[partition].start:
            return (
                f"partition {partition} of {log} starts at offset {held[partition].start}, but {offset} is the next "
                f"one to land: {held[partition].start - offset} records have expired. {WAY_ON}"
            )
    return None


def lags(settings: KafkaSettings, events: DeltaTable | None, held: Mapping[int, Held]) -> dict[int, int | None]:
    """How many records of each partition are not in the lake; None: unknown, as the lake is landed from another log.

    In a partition that never landed, they are counted from the first record that has not expired.

    Args:
        settings: the topic.
        events: the lake, opened after Kafka was asked; None: there is none yet.
        held: what Kafka holds. The lake may have more by now, which is no lag.

    Raises:
        MissingPartError: the broker does not answer.
    """
    known = events_table.log_of(events)
    if held and known is not None and kafka.LogReader(settings).log_id() != known:
        return dict.fromkeys(held)
    landed = events_table.landed(events, settings.topic, held)
    return {p: max(0, h.end - landed.get(p, h.start)) for p, h in held.items()}


def go_on(settings: SourceSettings, where: str, reason: str, by: str, dry_run: bool) -> Gap:
    """Let a stream that is refused go on at ``where``, with an alert, or only say what would be missing; see ``gap``.

    The alert is first: dying after it leaves a stream that is refused, and a second run raises it again.

    Raises:
        SourceLogError: it is not refused; also as for ``gap``.
    """
    if refusal(settings) is None:
        raise SourceLogError("the stream goes on by itself: the topic is the lake's log, and nothing is missing")
    wanted = gap(settings, where, reason, by)
    if not dry_run:
        raise_alert(STREAM_CONTINUED, SUBJECT, f"{by} let the stream go on without {wanted.told}: {reason}")
        continue_from(settings, wanted)
    return wanted


def gap(settings: SourceSettings, where: str, reason: str, by: str) -> Gap:
    """The gap if the stream goes on at ``where``; writes nothing.

    Args:
        settings: the topic and the lake.
        where: ``EARLIEST``, ``LATEST``, or the next offset of each partition, as JSON: ``{"0": 12, "1": 7}``.
        reason: why.
        by: the person who wants it so.

    Raises:
        SourceLogError: no reason or person is given, or an offset is not in the log.
        MissingPartError: the broker does not answer.
    """
    if not reason.strip() or not by.strip():
        raise SourceLogError("say why the stream goes on without these records, and who wants it so")
    log, held = kafka.LogReader(settings).log_id(), kafka.held_offsets(settings)
    offsets = _chosen(where, held)
    events = events_table.open_table(settings.events_uri)
    known = events_table.log_of(events) or log
    landed = events_table.landed(events, settings.topic, held)
    if known != log:
        missing: dict[int, tuple[int, int | None]] = {p: (offset, None) for p, offset in landed.items()}
        since = {p: held[p].start for p in offsets}
    else:
        missing = {p: (landed.get(p, 0), o) for p, o in offsets.items() if o > landed.get(p, 0)}
        since = {p: min(o, landed.get(p, 0)) for p, o in offsets.items()}
    return Gap(log, known, offsets, since, missing, reason, by)


def _chosen(where: str, held: dict[int, Held]) -> dict[int, int]:
    if where == EARLIEST:
        return {p: h.start for p, h in held.items()}
    if where == LATEST:
        return {p: h.end for p, h in held.items()}
    try:
        chosen = {int(p): int(offset) for p, offset in json.loads(where).items()}
    except (ValueError, TypeError, AttributeError):
        chosen = {}
    if chosen.keys() != held.keys():
        raise SourceLogError(
            f'{where!r}: give {EARLIEST}, {LATEST}, or an offset for each of {sorted(held)} as {{"0": 12}}'
        )
    for partition, offset in chosen.items():
        if not held[partition].start <= offset <= held[partition].end:
            bounds = f"{held[partition].start} to {held[partition].end}"
            raise SourceLogError(f"partition {partition}: offset {offset} is not in the log, which has {bounds}")
    return chosen


def continue_from(settings: SourceSettings, wanted: Gap) -> None:
    """Let the stream go on at the offsets of a gap, which is kept in the lake's log and for the books.

    The driver must not run.

    Raises:
        SourceLogError: the topic is another log by now.
    """
    log = kafka.LogReader(settings).log_id()
    if log != wanted.log:
        raise SourceLogError(f"the topic is {log} by now, not {wanted.log}: look again at what would be missing")
    write_gap(settings, wanted)
    logger.warning("continued log=%s missing=%s reason=%s by=%s", log, wanted.missing, wanted.reason, wanted.by)


def write_gap(settings: SourceSettings, wanted: Gap) -> None:
    """Move the offsets, and note the stretch that begins at them for the books: two commits.

    Dying between them leaves a stream that is still refused: do it again. In another log the offsets come first, which
    are not looked at before the log is known; in the same log the note does, so that no gap is lost.
    """
    same = events_table.log_of(events_table.opened(settings.events_uri)) == wanted.log
    if same:
        _begin(settings, wanted)
    Landing(settings.events_uri, wanted.log).go_on_at(wanted.offsets, asdict(wanted))
    if not same:
        _begin(settings, wanted)


def _begin(settings: SourceSettings, wanted: Gap) -> None:
    """Note the stretch that begins at a gap, and its log. Twice: the same again."""
    events = events_table.opened(settings.events_uri)
    new = Stretch(0, wanted.log, wanted.since, wanted.offsets, wanted.reason, wanted.by)
    partitions = sorted({*wanted.offsets, *wanted.missing})
    _remember(events, wanted.log, stretches.followed_by(events, new, settings.topic, partitions))


def _remember(events: DeltaTable, log: str, kept: Sequence[Stretch]) -> None:
    values = {events_table.LOG_PROPERTY: log, **stretches.as_property(kept)}
    if not values.items() <= events.metadata().configuration.items():
        events.alter.set_table_properties(values, raise_if_not_exists=False)
