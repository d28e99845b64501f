"""Every kind of alert there is, with its runbook and the first thing to do. Sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass

STREAM_RUNBOOK = "docs/runbooks/supervise_stream.md"
MERGE_RUNBOOK = "docs/runbooks/merge_events.md"
HEALTH_RUNBOOK = "docs/runbooks/watch_health.md"
QUALITY_RUNBOOK = "docs/runbooks/check_quality.md"
REPORTS_RUNBOOK = "docs/runbooks/report_brands.md"


@dataclass(frozen=True)
class Alert:
    """One kind of alert: ``runbook`` is a path in the repository, ``do`` the first thing to do.

    A lasting one is a state: it is open until it is resolved, and sent once in that time. One that is not lasting is
    something that happened: it is sent each time, and closed as soon as it is stored, because nothing ever ends it.
    """

    name: str
    severity: str  # critical: act now; warning: look today
    runbook: str
    do: str
    lasting: bool = True


DRIVER_FAILING = Alert("driver_failing", "critical", STREAM_RUNBOOK, "read the end of the driver's log")
DRIVER_STALLED = Alert("driver_stalled", "critical", STREAM_RUNBOOK, "see whether the restart helped; read its log")
SLICE_HELD = Alert("slice_held", "critical", MERGE_RUNBOOK, "mend the cause, then trigger release_slice")
SLICE_WARNING = Alert("slice_warning", "warning", MERGE_RUNBOOK, "compare with the days before", lasting=False)
ROWS_QUARANTINED = Alert("rows_quarantined", "warning", MERGE_RUNBOOK, "read reason in quarantine", lasting=False)
EVENTS_CONFLICTING = Alert("events_conflicting", "warning", MERGE_RUNBOOK, "find the producer", lasting=False)
MERGE_FAILING = Alert("merge_failing", "critical", MERGE_RUNBOOK, "read the log of the task of this table")
TRENDS_FAILING = Alert("trends_failing", "warning", MERGE_RUNBOOK, "read the log of roll_up")
QUALITY_FAILED = Alert("quality_failed", "critical", QUALITY_RUNBOOK, "look up the measures in the runbook")
QUALITY_WARNING = Alert("quality_warning", "warning", QUALITY_RUNBOOK, "look up the measures in the runbook")
REPORTS_FAILED = Alert("reports_failed", "warning", REPORTS_RUNBOOK, "read the log of report_brands; mend, trigger it")
DRIVER_ALERTS = (DRIVER_FAILING, DRIVER_STALLED)
MERGE_ALERTS = (SLICE_HELD, SLICE_WARNING, ROWS_QUARANTINED, EVENTS_CONFLICTING, MERGE_FAILING, TRENDS_FAILING)
QUALITY_ALERTS = (QUALITY_FAILED, QUALITY_WARNING)
SOURCE_DOWN = Alert("source_down", "critical", HEALTH_RUNBOOK, "see whether what is named is up")
# Named as the measures of ``pinwheel.operate.health`` that they are about; held slices have an alert of their own.
HEALTH_ALERTS = {
    a.name: a
    for a in (
        SOURCE_DOWN,
        Alert("driver_down", "critical", HEALTH_RUNBOOK, "see whether somebody stopped it; read its log"),
        Alert("lag_records", "warning", HEALTH_RUNBOOK, "see whether the stream runs and the lag falls"),
        Alert("open_batch_seconds", "critical", HEALTH_RUNBOOK, "read the end of the driver's log"),
        Alert("lake_behind_seconds", "critical", HEALTH_RUNBOOK, "see whether the stream runs and the lag falls"),
        Alert("staged_behind_seconds", "warning", HEALTH_RUNBOOK, "read the log of merge_events"),
        Alert("merged_behind_seconds", "critical", HEALTH_RUNBOOK, "look for held slices, then at merge_events"),
        Alert("dead_letter_share", "warning", HEALTH_RUNBOOK, "count the dead letters by reason, tell the producer"),
        Alert("pending_pins", "warning", HEALTH_RUNBOOK, "see whether the Pin API answers"),
        Alert("small_files", "warning", HEALTH_RUNBOOK, "read the log of compact_tables"),
        Alert("disk_used_share", "critical", HEALTH_RUNBOOK, "make room on the lake's disk"),
    )
}
TEST_ALERT = Alert("test_alert", "warning", HEALTH_RUNBOOK, "nothing: somebody tried whether it arrives", lasting=False)
ALERTS = {
    a.name: a
    for a in (*DRIVER_ALERTS, *MERGE_ALERTS, *QUALITY_ALERTS, REPORTS_FAILED, *HEALTH_ALERTS.values(), TEST_ALERT)
}

Send = Callable[[Alert, str, str], None]  # alert, subject (what it is about), message
