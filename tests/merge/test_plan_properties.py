"""Any history of a lake: each merge does to a table what a model in plain Python does to a dictionary."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from hypothesis import given

from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES, reporting_columns
from pinwheel.core.offsets import VersionRange
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.plan import Counts, payload_columns
from tests.support.database import merge_settings
from tests.support.histories import Lake, Merge, Step, histories
from tests.support.properties import examples

Row = dict[str, Any]
Delivery = tuple[int, int]
MERGED = ("pins", "repins")  # all tables are merged by the same statements


def delivery(row: Row) -> Delivery:
    """Deliveries of an event differ in: Kafka's partition and offset."""
    return row["kafka_partition"], row["kafka_offset"]


class Model:
    """A reporting table: of each event the first delivery, as it was changed last."""

    def __init__(self, table: str) -> None:
        self.rows: dict[str, Row] = {}
        self._payload = payload_columns(TABLES[table])

    def merge(self, changes: Iterable[Row]) -> Counts:
        """Take a slice of the change feed; of each delivery only the last change counts."""
        last: dict[str, dict[Delivery, Row]] = {}
        counts = Counter[str]()
        for change in sorted(changes, key=lambda row: (row["_commit_version"], not is_delete(row))):
            deliveries = last.setdefault(change["event_id"], {})
            counts["overtaken"] += delivery(change) in deliveries
            deliveries[delivery(change)] = change
        for event_id, deliveries in last.items():
            self._take(event_id, deliveries, counts)
        return Counts(**{field.name: counts[field.name] for field in fields(Counts)})

    def _take(self, event_id: str, deliveries: dict[Delivery, Row], counts: Counter[str]) -> None:
        kept = self.rows.get(event_id)
        if kept and (changed := deliveries.get(delivery(kept))) and is_delete(changed):
            counts["deleted"] += 1
            del self.rows[event_id], deliveries[delivery(kept)]
            kept = None
        spare = [row for row in deliveries.values() if not is_delete(row)]
        counts["overtaken"] += len(deliveries) - len(spare)
        first = min(spare, key=received, default=None)
        if first and (kept is None or received(first) <= received(kept)):
            counts["updated" if kept else "inserted"] += 1
            self.rows[event_id] = first
            spare.remove(first)
        for row in spare:
            is_same = all(row[name] == self.rows[event_id][name] for name in self._payload)
            counts["duplicates" if is_same else "conflicting"] += 1


def received(row: Row) -> tuple[Any, ...]:
    """The order of an event's deliveries, of which the first is kept."""
    return row["kafka_timestamp"], *delivery(row)


def is_delete(change: Row) -> bool:
    return bool(change["_change_type"] == "delete")


def feed(events_uri: str, table: str, versions: VersionRange) -> list[Row]:
    """The changes of a table, from the lake."""
    found = DeltaTable(events_uri).load_cdf(versions.after + 1, versions.to)
    rows = pa.table(found.read_all()).to_pylist()
    is_wanted = {"insert", "update_postimage", "delete"}
    return [r for r in rows if r["event_type"] == TABLES[table].name and r["_change_type"] in is_wanted]


def plain(table: str, rows: Iterable[Row]) -> list[Row]:
    """Rows of the lake and of the table alike: times without a zone, in the order of their ids."""
    names = [c.name for c in reporting_columns(TABLES[table]) if c.name != "occurred_hour"]
    alike = [{name: naive(row[name]) for name in names} for row in rows]
    return sorted(alike, key=lambda row: row["event_id"])


def naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def test_every_merge_does_what_the_model_does(
    settings: MergeSettings, connection: Connection, query: Callable[[str], list[Row]], tmp_path: Path
) -> None:
    became, histories_seen = Counter[str](), Counter[str]()

    @examples(10)
    @given(histories(MERGED, landings=3, most_rows=14, ids=6))
    def holds(history: list[Step]) -> None:
        histories_seen["all"] += 1
        here = merge_settings(settings, str(tmp_path / str(histories_seen["all"])))
        lake = Lake(here.lake_uri)
        models = {table: Model(table) for table in MERGED}
        for step in history:
            if not isinstance(step, Merge):
                lake.take(step)
                continue
            for table in step.tables:
                merge_all(here.model_copy(update={"merge_slice_rows": 20}), table, models[table])

    def merge_all(here: MergeSettings, table: str, model: Model) -> None:
        while (found := next_slice(table, here, connection)) is not None:
            with closing(found):
                counts = merge(found, connection)
            assert counts == model.merge(feed(here.events_uri, table, found.versions))
            assert plain(table, query(f"SELECT * FROM {table}")) == plain(table, model.rows.values())
            became.update(asdict(counts))

    holds()
    assert min(became.values()) > 0, became
