"""The alert catalogue: every kind of alert, what it means for whom, and the first thing to do. Sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

STREAM, CONTROL, MERGE, REBUILD = "supervise_stream", "control_stream", "merge_events", "rebuild_tables"
HEALTH, QUALITY, REPORTS, COMPLETE = "watch_health", "check_quality", "report_brands", "complete_pins"
COMPACT = "compact_tables"
# Consequences that several alerts have.
NOTHING_LANDS = "no new events reach pages and reports; none are lost, Kafka keeps them for its retention"
STANDS_STILL = "the table's numbers in pages and reports stand still; no events are lost, the lake has them"
NUMBERS_WRONG = "numbers that people have read may be wrong"


@dataclass(frozen=True)
class Alert:
    """One kind of alert.

    ``title``: what is wrong, with {subject} for the table, stream or person concerned. ``means``: what that is for
    whom. ``do``: the first thing to do. ``dag``: whose runs tell more. ``page``: where it can be seen.
    ``runbook_of``: the Dag whose runbook explains it, if it is not ``dag``.

    A lasting alert is a state: open until resolved, and sent once while open. Any other alert is an occurrence:
    sent each time, and closed as soon as it is stored, because nothing would ever resolve it.
    """

    name: str
    severity: str  # critical: act now; warning: look today
    title: str
    means: str
    do: str
    dag: str
    runbook_of: str | None = None
    page: str = "health"
    lasting: bool = True

    @property
    def runbook(self) -> str:
        """Its path in the repository."""
        return f"docs/runbooks/{self.runbook_of or self.dag}.md"


DRIVER_FAILING = Alert(
    "driver_failing",
    "critical",
    "the stream's driver ends again and again",
    NOTHING_LANDS,
    "read the end of its log on the health page: its last error names the cause",
    STREAM,
)
DRIVER_STALLED = Alert(
    "driver_stalled",
    "critical",
    "the stream runs and lands nothing",
    NOTHING_LANDS,
    "wait 2 minutes for the restart that was just made; if nothing lands then, read the end of its log",
    STREAM,
)
STREAM_REFUSED = Alert(
    "stream_refused",
    "critical",
    "the stream does not go on: Kafka's log is not the one it has read",
    NOTHING_LANDS,
    "find out who changed the topic, then decide with control_stream whether and from where the stream goes on",
    CONTROL,
)
STREAM_CONTINUED = Alert(
    "stream_continued",
    "warning",
    "the stream went on without some records",
    "the events in that gap are in no page or report, and will not come",
    "tell those who use the numbers of that time",
    CONTROL,
    lasting=False,
)
RECORD_UNPROCESSABLE = Alert(
    "record_unprocessable",
    "warning",
    "one record ended every driver that read it",
    "it is a dead letter now; all other records have landed",
    "read the record from Kafka, and find its producer",
    STREAM,
    lasting=False,
)
SLICE_HELD = Alert(
    "slice_held",
    "critical",
    "a slice of {subject} is held",
    STANDS_STILL,
    "fix what broke the rule, then trigger release_slice: retry judges it again, accept merges it as it is",
    MERGE,
    page="quality",
)
SLICE_WARNING = Alert(
    "slice_warning",
    "warning",
    "a slice of {subject} is unusual",
    "it was merged; its numbers may be of a producer that changed",
    "compare with the previous days on the page Data quality",
    MERGE,
    page="quality",
    lasting=False,
)
ROWS_QUARANTINED = Alert(
    "rows_quarantined",
    "warning",
    "rows of {subject} were quarantined",
    "they are in no number; the other rows are merged",
    "read the reasons on the page Data quality, and tell the producer",
    MERGE,
    page="quality",
    lasting=False,
)
EVENTS_CONFLICTING = Alert(
    "events_conflicting",
    "warning",
    "events of {subject} reuse an id",
    "the first delivery counts, the others are only in the lake",
    "find the producer that gives two events the same id",
    MERGE,
    page="quality",
    lasting=False,
)
TABLE_CUT_OFF = Alert(
    "table_cut_off",
    "critical",
    "{subject} can't follow the lake any more",
    STANDS_STILL,
    "trigger rebuild_tables for it",
    MERGE,
    runbook_of=REBUILD,
)
MERGE_FAILING = Alert(
    "merge_failing",
    "critical",
    "merging {subject} fails again and again",
    STANDS_STILL,
    "read the log of its task in the running run of merge_events",
    MERGE,
)
TRENDS_FAILING = Alert(
    "trends_failing",
    "warning",
    "scoring the trends fails again and again",
    "the page Trends stands still; all other numbers go on",
    "read the log of roll_up in the running run of merge_events",
    MERGE,
)
QUALITY_FAILED = Alert(
    "quality_failed",
    "critical",
    "the lake and {subject} do not agree",
    NUMBERS_WRONG,
    "look up the measure in the runbook: it says how to put it right",
    QUALITY,
    page="quality",
)
QUALITY_WARNING = Alert(
    "quality_warning",
    "warning",
    "{subject} is unusual",
    "the numbers are those of the events, but the events may not be right",
    "look up the measure in the runbook, and ask the producer",
    QUALITY,
    page="quality",
)
BOOKS_DIFFER = Alert(
    "books_differ",
    "critical",
    "the books do not balance",
    NUMBERS_WRONG,
    "look up the named offsets or ids in the runbook",
    QUALITY,
)
REPORTS_FAILED = Alert(
    "reports_failed",
    "warning",
    "{subject} failed for some brands",
    "the named brands have no new report; the others have theirs",
    "read the log of report_brands, fix the cause, trigger it again",
    REPORTS,
    page="reports",
)
PINS_GIVEN_UP = Alert(
    "pins_given_up",
    "warning",
    "some pins were given up",
    "the events of these pins count for no brand",
    "ask the Pin API's owner about the example",
    COMPLETE,
    lasting=False,
)
SOURCE_DOWN = Alert(
    "source_down",
    "critical",
    "a part of the pipeline does not answer",
    "what needs it stands still, and goes on by itself when it answers; no events are lost",
    "check whether the named part is up, and its disk; the embedded stack restarts its own parts",
    HEALTH,
)
DRIVER_DOWN = Alert(
    "driver_down",
    "critical",
    "the stream is down, and nothing starts it",
    NOTHING_LANDS,
    "check that the Dag supervise_stream is not paused and its run is running: it starts the stream",
    STREAM,
    runbook_of=HEALTH,
)
STREAM_STOPPED = Alert(
    "stopped_seconds",
    "warning",
    "the stream is still stopped, on purpose",
    NOTHING_LANDS,
    "if nobody needs it stopped any more, trigger control_stream with running",
    CONTROL,
    runbook_of=HEALTH,
)
# Each has the name of its measure in ``pinwheel.operate.health``. Held slices have their own alert, SLICE_HELD.
HEALTH_ALERTS = {
    a.name: a
    for a in (
        SOURCE_DOWN,
        DRIVER_DOWN,
        STREAM_STOPPED,
        Alert(
            "lag_records",
            "warning",
            "many records wait to be landed",
            "pages and reports are late by the time that these take",
            "watch the lag on the health page: if it falls, the stream is catching up; if not, read the driver's log",
            STREAM,
            runbook_of=HEALTH,
        ),
        Alert(
            "open_batch_seconds",
            "critical",
            "nothing lands, though records wait",
            NOTHING_LANDS,
            "read the end of the driver's log; the supervisor restarts it after 3 minutes",
            STREAM,
            runbook_of=HEALTH,
        ),
        Alert(
            "lake_behind_seconds",
            "critical",
            "the lake is behind Kafka",
            "pages and reports are late by that time",
            "watch the lag on the health page: if it falls, the stream is catching up; if not, read the driver's log",
            STREAM,
            runbook_of=HEALTH,
        ),
        Alert(
            "merged_behind_seconds",
            "critical",
            "reporting tables are behind",
            "the numbers of the named tables in pages and reports are old by that time",
            "check that the Dag merge_events is not paused and runs; then read the log of the table's task",
            MERGE,
            runbook_of=HEALTH,
        ),
        Alert(
            "dead_letter_share",
            "warning",
            "many records are dead letters",
            "these events are in no page or report; the lake keeps each with its reason",
            "count them by reason on the page Data quality, and tell the producer",
            STREAM,
            runbook_of=HEALTH,
            page="quality",
        ),
        Alert(
            "pending_pins",
            "warning",
            "many rows wait for their pin",
            "these events count for no brand yet",
            "check whether the Pin API answers: the log of complete_pins says so",
            COMPLETE,
            runbook_of=HEALTH,
        ),
        Alert(
            "small_files",
            "warning",
            "the lake has many small files",
            "reading the lake becomes slow",
            "read the log of compact_tables",
            COMPACT,
            runbook_of=HEALTH,
        ),
        Alert(
            "disk_used_share",
            "critical",
            "the lake's disk is almost full",
            "when it is full, nothing lands any more; none are lost, Kafka keeps them for its retention",
            "free space on that disk; the runbook says which files must stay",
            COMPACT,
            runbook_of=HEALTH,
        ),
    )
}
MESSAGE_GIVEN_UP = Alert(
    "message_given_up",
    "warning",
    "a receiver did not take a message",
    "people who read there do not know of the named alert",
    "read that alert on the health page; correct the receiver in PINWHEEL_ALERT_URLS",
    HEALTH,
    lasting=False,
)
TEST_ALERT = Alert(
    "test_alert",
    "warning",
    "this is a test",
    "alerts arrive here",
    "nothing",
    HEALTH,
    lasting=False,
)
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED, STREAM_REFUSED)
MERGE_ALERTS = (
    *(SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING),
    *(TABLE_CUT_OFF, MERGE_FAILING, TRENDS_FAILING),
)
QUALITY_ALERTS = (QUALITY_FAILED, QUALITY_WARNING, BOOKS_DIFFER)
ALERTS = {
    a.name: a
    for a in (
        *DRIVER_ALERTS,
        STREAM_CONTINUED,
        RECORD_UNPROCESSABLE,
        *MERGE_ALERTS,
        *QUALITY_ALERTS,
        REPORTS_FAILED,
        PINS_GIVEN_UP,
        *HEALTH_ALERTS.values(),
        MESSAGE_GIVEN_UP,
        TEST_ALERT,
    )
}
CAN_BE_SILENCED = [name for name in ALERTS if name != MESSAGE_GIVEN_UP.name]  # or nobody would learn that none came

Send = Callable[[Alert, str, str], None]  # alert, subject (the table, stream or measure concerned), message


class Resolve(Protocol):
    """Resolves an alert; ``was_sent``: people know of it, also if the database was down and does not."""

    def __call__(self, alert: Alert, subject: str, message: str, was_sent: bool = False) -> None:
        """See the class."""
