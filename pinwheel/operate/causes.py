"""Which fault explains a measure beyond its limit: only the first fault of a chain is an alert."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pinwheel.alerts.catalogue import (
    DRIVER_ALERTS,
    HEALTH_ALERTS,
    MERGE_FAILING,
    SLICE_HELD,
    SOURCE_DOWN,
    STREAM_STOPPED,
    TABLE_CUT_OFF,
)
from pinwheel.clients.memsql import Row
from pinwheel.core.contract import ROLLUPS

if TYPE_CHECKING:
    from pinwheel.operate.health import Measure

TABLE_ALERTS = frozenset({SLICE_HELD.name, TABLE_CUT_OFF.name, MERGE_FAILING.name})  # by them alone a table is behind
_DOWN = {*(f"{SOURCE_DOWN.name}/{name}" for name in ("kafka", "lake")), *(alert.name for alert in DRIVER_ALERTS)}
_STILL = _DOWN | {"driver_down", STREAM_STOPPED.name}
# Measure -> what explains it: measures ("name" or "name/subject") that are unwell, and open alerts about the driver.
CAUSES: Mapping[str, set[str]] = {
    "driver_down": _DOWN,
    "open_batch_seconds": _STILL,
    "lake_behind_seconds": _STILL | {"open_batch_seconds"},
    "lag_records": _STILL | {"open_batch_seconds", "lake_behind_seconds"},
    "merged_behind_seconds": _STILL | {f"{SOURCE_DOWN.name}/memsql", "open_batch_seconds", "lake_behind_seconds"},
}


def follows(measure: "Measure", measures: Iterable["Measure"], open_alerts: Iterable[Row]) -> str | None:
    """The alert of the fault that an unwell measure follows from, if there is one."""
    causes = CAUSES.get(measure.name, set())
    for m in measures:
        is_fault = bool(m.value) if m.name == STREAM_STOPPED.name else not m.is_well
        if is_fault and (m.name in causes or f"{m.name}/{m.subject}" in causes):
            return m.name
    for alert in open_alerts:
        if alert["name"] in causes - HEALTH_ALERTS.keys():  # those are judged by their measures, above
            return str(alert["name"])
        if measure.name == "merged_behind_seconds" and alert["name"] in TABLE_ALERTS:
            of_table = str(alert["subject"]).partition(" ")[0]  # after it, the shard
            if measure.subject in (of_table, ROLLUPS):  # the rollups are as complete as the table that is behind most
                return str(alert["name"])
    return None
