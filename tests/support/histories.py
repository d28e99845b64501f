"""Histories of a lake, for properties: events land, again and late, are corrected and erased, and slices are merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from pinwheel.core.contract import TABLES
from tests.support.lakes import NOON, delete, event, land, update

Row = dict[str, Any]


@dataclass(frozen=True)
class Landing:
    """A commit of the stream."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Change:
    """A commit that changes the rows whose ``column`` has ``value``: erased, or given other ``values``."""

    column: str
    value: Any
    values: Row | None

    def apply(self, uri: str) -> None:
        predicate = f"{self.column} IS NULL" if self.value is None else f"{self.column} = {self.value}"
        if self.values is None:
            delete(uri, predicate)
        else:
            update(uri, predicate, {name: repr(value) for name, value in self.values.items()})


@dataclass(frozen=True)
class Merge:
    """New versions are merged, table after table; ``rolled_up``: the rollups follow."""

    tables: tuple[str, ...]
    rolled_up: bool  # or they wait, and are taken in with what is merged later


Step = Landing | Change | Merge


def rows(tables: Sequence[str], ids: int) -> st.SearchStrategy[Row]:
    """Few people and pins, and ``ids`` of each type, so that they come again; up to 30 hours late."""
    of_any = {
        "number": st.integers(1, ids),
        "occurred_at": st.integers(-30 * 60, 2 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        "kafka_timestamp": st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        "user_id": st.integers(1, 6),
        "country_code": st.sampled_from(["NL", "US", None]),
        "kafka_partition": st.integers(0, 2),
    }
    of_pins = {
        "pin_id": st.integers(1, 6),
        "brand_id": st.sampled_from([1, 2, None]),
        "category": st.sampled_from(["food", "art", None]),
    }
    kinds = [TABLES[table] for table in tables]
    return st.sampled_from(kinds).flatmap(
        lambda kind: st.fixed_dictionaries({"kind": st.just(kind.name), **of_any, **(of_pins if kind.has_pin else {})})
    )


def changes(offsets: int) -> st.SearchStrategy[Change]:
    corrected = st.sampled_from([{"brand_id": 2}, {"brand_id": 1, "category": "food"}, {"country_code": "US"}])
    return st.one_of(
        st.builds(Change, st.just("kafka_offset"), st.integers(0, offsets - 1), st.none() | corrected),
        st.builds(Change, st.just("user_id"), st.integers(1, 6), st.none()),
        st.builds(Change, st.just("pin_id"), st.integers(1, 6), corrected),
        st.builds(Change, st.just("brand_id"), st.none(), corrected),
    )


@st.composite
def histories(draw: st.DrawFn, tables: Sequence[str], *, landings: int, most_rows: int, ids: int) -> list[Step]:
    """Landings with changes and merges in between; ends with a merge of everything."""
    found: list[Step] = []
    merge = st.builds(Merge, st.permutations(tables).map(tuple), st.sampled_from([False, False, True]))
    for number in range(1, landings + 1):
        found.append(Landing(tuple(draw(st.lists(rows(tables, ids), min_size=most_rows // 2, max_size=most_rows)))))
        found += draw(st.lists(merge, max_size=1))
        found += draw(st.lists(changes(number * most_rows // 2), max_size=2))
    return [*found, Merge(tuple(tables), True)]


def lake_rows(landing: Landing, first_offset: int) -> list[Row]:
    """Its rows, as the stream lands them."""
    return [
        event(
            row["kind"],
            f"{row['kind']}{row['number']}",
            first_offset + place,
            **{name: value for name, value in row.items() if name not in ("kind", "number")},
        )
        for place, row in enumerate(landing.rows)
    ]


class Lake:
    """A real lake that goes through a history."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._landed = 0

    def take(self, step: Landing | Change) -> None:
        if isinstance(step, Landing):
            land(self.uri, lake_rows(step, self._landed))
            self._landed += len(step.rows)
        else:
            step.apply(self.uri)
