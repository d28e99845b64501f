"""Versions of a few pins in any order, each several times, and what the newest of each is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from pinwheel.core.contract import PIN_VERSION
from pinwheel.enrich.pins import PINS_SCHEMA

Version = tuple[int, int, int, int]  # pin_id, minutes after START, partition, offset
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PINS = range(1, 4)

# An offset is in a partition once, whatever the time of its event; few times and partitions, so that they are equal.
_VERSIONS = st.lists(
    st.tuples(st.sampled_from(PINS), st.integers(0, 2), st.integers(0, 1), st.integers(0, 9)),
    min_size=1,
    max_size=8,
    unique_by=lambda version: version[2:],
)


def deliveries() -> st.SearchStrategy[list[list[Version]]]:
    """Batches in which each of some versions comes at least once."""
    return _VERSIONS.flatmap(_delivered)


def _delivered(versions: list[Version]) -> st.SearchStrategy[list[list[Version]]]:
    again = st.lists(st.sampled_from(versions), max_size=6)
    shuffled = again.flatmap(lambda more: st.permutations(versions + more))
    return shuffled.flatmap(_split)


def _split(versions: list[Version]) -> st.SearchStrategy[list[list[Version]]]:
    cuts = st.lists(st.integers(0, len(versions)), max_size=4).map(sorted)
    return cuts.map(lambda at: [versions[a:b] for a, b in zip([0, *at], [*at, len(versions)], strict=True) if b > a])


def row(version: Version) -> dict[str, Any]:
    """A version as a row of the lake; its title says which it is."""
    pin_id, minutes, partition, offset = version
    at = START + timedelta(minutes=minutes)
    return {
        "pin_id": pin_id,
        "pin_creator_id": 7,
        "pin_board_id": 8,
        "title": title(version),
        **dict(zip(PIN_VERSION, (at, partition, offset), strict=True)),
    }


def title(version: Version) -> str:
    return " ".join(map(str, version))


def table(versions: list[Version]) -> pa.Table:
    """Versions as the stream saves them."""
    return pa.Table.from_pylist([row(version) for version in versions], schema=PINS_SCHEMA)


def newest(batches: list[list[Version]]) -> dict[int, str]:
    """The title of the newest version of each pin."""
    return {version[0]: title(version) for version in sorted(v for batch in batches for v in batch)}
