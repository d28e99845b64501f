"""The alert catalogue: every kind of alert, with its runbook and the first thing to do. Sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass

STREAM_RUNBOOK = "docs/runbooks/supervise_stream.md"
CONTROL_RUNBOOK = "docs/runbooks/control_stream.md"
REBUILD_RUNBOOK = "docs/runbooks/rebuild_tables.md"
MERGE_RUNBOOK = "docs/runbooks/merge_events.md"
HEALTH_RUNBOOK = "docs/runbooks/watch_health.md"
QUALITY_RUNBOOK = "docs/runbooks/check_quality.md"
REPORTS_RUNBOOK = "docs/runbooks/report_brands.md"
COMPLETE_RUNBOOK = "docs/runbooks/complete_pins.md"


@dataclass(frozen=True)
class Alert:
    """One kind of alert: ``runbook`` is a path in the repository, ``do`` the first thing to do.

    A lasting alert is a state: open until resolved, and sent once while open. Any other alert is an occurrence:
    sent each time, and closed as soon as it is stored, because nothing would ever resolve it.
    """

    name: str
    severity: str  # critical: act now; warning: look today
    runbook: str
    do: str
    lasting: bool = True


DRIVER_FAILING = Alert("driver_failing", "critical", STREAM_RUNBOOK, "read the end of the driver's log")
DRIVER_STALLED = Alert("driver_stalled", "critical", STREAM_RUNBOOK, "check whether the restart helped; read its log")
STREAM_REFUSED = Alert(
    "stream_refused", "critical", CONTROL_RUNBOOK, "decide whether the stream goes on, and from where"
)
STREAM_CONTINUED = Alert(
    "stream_continued", "warning", CONTROL_RUNBOOK, "tell those who use the numbers", lasting=False
)
RECORD_UNPROCESSABLE = Alert(
    "record_unprocessable",
    "warning",
    STREAM_RUNBOOK,
    "read the record from Kafka, and find its producer",
    lasting=False,
)
SLICE_HELD = Alert("slice_held", "critical", MERGE_RUNBOOK, "fix the cause, then trigger release_slice")
SLICE_WARNING = Alert("slice_warning", "warning", MERGE_RUNBOOK, "compare with the previous days", lasting=False)
ROWS_QUARANTINED = Alert("rows_quarantined", "warning", MERGE_RUNBOOK, "read quarantine's column reason", lasting=False)
EVENTS_CONFLICTING = Alert("events_conflicting", "warning", MERGE_RUNBOOK, "find the producer", lasting=False)
TABLE_CUT_OFF = Alert("table_cut_off", "critical", REBUILD_RUNBOOK, "trigger rebuild_tables for this table")
MERGE_FAILING = Alert("merge_failing", "critical", MERGE_RUNBOOK, "read the log of this table's task")
TRENDS_FAILING = Alert("trends_failing", "warning", MERGE_RUNBOOK, "read the log of roll_up")
QUALITY_FAILED = Alert("quality_failed", "critical", QUALITY_RUNBOOK, "look up the measures in the runbook")
QUALITY_WARNING = Alert("quality_warning", "warning", QUALITY_RUNBOOK, "look up the measures in the runbook")
BOOKS_DIFFER = Alert("books_differ", "critical", QUALITY_RUNBOOK, "look up the named offsets or ids in the runbook")
REPORTS_FAILED = Alert("reports_failed", "warning", REPORTS_RUNBOOK, "read the log of report_brands, fix it, rerun it")
PINS_GIVEN_UP = Alert(
    "pins_given_up", "warning", COMPLETE_RUNBOOK, "ask the Pin API's owner about the example", lasting=False
)
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED, STREAM_REFUSED)
MERGE_ALERTS = (
    *(SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING),
    *(TABLE_CUT_OFF, MERGE_FAILING, TRENDS_FAILING),
)
QUALITY_ALERTS = (QUALITY_FAILED, QUALITY_WARNING, BOOKS_DIFFER)
SOURCE_DOWN = Alert("source_down", "critical", HEALTH_RUNBOOK, "check whether the named source is up")
# Each has the name of its measure in ``pinwheel.operate.health``. Held slices have their own alert, SLICE_HELD.
HEALTH_ALERTS = {
    a.name: a
    for a in (
        SOURCE_DOWN,
        Alert("driver_down", "critical", HEALTH_RUNBOOK, "check whether somebody stopped it; read its log"),
        Alert("lag_records", "warning", HEALTH_RUNBOOK, "check that the stream runs and the lag falls"),
        Alert("open_batch_seconds", "critical", HEALTH_RUNBOOK, "read the end of the driver's log"),
        Alert("lake_behind_seconds", "critical", HEALTH_RUNBOOK, "check that the stream runs and the lag falls"),
        Alert("merged_behind_seconds", "critical", HEALTH_RUNBOOK, "look for held slices, then in merge_events' log"),
        Alert("dead_letter_share", "warning", HEALTH_RUNBOOK, "count the dead letters by reason; inform the producer"),
        Alert("pending_pins", "warning", HEALTH_RUNBOOK, "check whether the Pin API answers"),
        Alert("small_files", "warning", HEALTH_RUNBOOK, "read the log of compact_tables"),
        Alert("disk_used_share", "critical", HEALTH_RUNBOOK, "free space on the lake's disk"),
    )
}
MESSAGE_GIVEN_UP = Alert(
    "message_given_up",
    "warning",
    HEALTH_RUNBOOK,
    "read the alert on the health page; correct the receiver",
    lasting=False,
)
TEST_ALERT = Alert("test_alert", "warning", HEALTH_RUNBOOK, "nothing: this tests whether alerts arrive", lasting=False)
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

Send = Callable[[Alert, str, str], None]  # alert, subject (the table, stream or measure concerned), message
