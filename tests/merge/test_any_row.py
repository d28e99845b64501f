"""Whatever a row of the lake holds, it is merged as it is, or it goes to quarantine: one row never stops a table."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import HOUR_COLUMN, TABLES, Column, Type, reporting_columns
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.gate import Gate
from pinwheel.merge.merge import merge
from tests.support.database import merge_settings
from tests.support.lakes import event, land
from tests.support.properties import examples
from tests.support.slices import prepared
from tests.support.types import Query

LENGTHS = (2, 3, 16, 17, 64, 65, 255, 256, 500, 501, 2048, 2049, 5000, 5001)  # around the columns' limits
TEXTS = st.one_of(
    st.text(min_size=1, max_size=20),
    st.builds(str.__mul__, st.sampled_from("x🎡é\\\t\n\0"), st.sampled_from(LENGTHS)),
    st.sampled_from(["NL", "ZZ", "(none)", "\\N", " ", "web", "cached", "pending"]),
)
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.STRING: TEXTS,
    Type.INT64: st.integers(-(2**63), 2**63 - 1),
    Type.INT32: st.integers(-(2**31), 2**31 - 1),
    Type.DOUBLE: st.floats(),
    Type.TIMESTAMP: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
}


def values_of(column: Column) -> st.SearchStrategy[Any]:
    """Anything that the lake's column holds. Keys are there: without one the slice is held, and a person decides."""
    if column.name == "kafka_offset":  # Kafka's own; the next one must be a number too
        return st.integers(0, 2**62)
    is_key = column.name in ("event_id", "occurred_at", "user_id", "kafka_partition", "kafka_offset", "kafka_timestamp")
    return VALUES[column.type] if is_key else st.none() | VALUES[column.type]


def odd_rows(table: str) -> st.SearchStrategy[list[Row]]:
    """Usual rows with one to three odd values each."""
    columns = [c for c in reporting_columns(TABLES[table]) if c.name != HOUR_COLUMN]
    odd = st.lists(st.sampled_from(columns), min_size=1, max_size=3, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({c.name: values_of(c) for c in chosen})
    )
    return st.lists(odd, min_size=1, max_size=8)


@pytest.mark.parametrize("table", TABLES)
def test_any_row_is_merged_or_quarantined(
    settings: MergeSettings, connection: Connection, query: Query, tmp_path: Path, table: str
) -> None:
    became, tried, gate = Counter[str](), 0, Gate(1.0)

    @examples(8)
    @given(odd_rows(table))
    def holds(rows: list[Row]) -> None:
        nonlocal tried
        tried += 1
        here = merge_settings(settings, str(tmp_path / str(tried)))
        usual = [event(TABLES[table].name, f"e{n}", n) for n in range(len(rows))]
        land(here.lake_uri, [{**row, **odd} for row, odd in zip(usual, rows, strict=True)])
        with closing(prepared(table, here, connection)) as slice_:
            verdict = gate.check(slice_)
            assert not verdict.held
            counts = merge(slice_, connection, verdict)
        became.update(merged=counts.inserted, quarantined=verdict.quarantined)
        kept = len(query(f"SELECT event_id FROM {table}")) + len(query("SELECT row_num FROM quarantine"))
        assert kept + counts.duplicates + counts.conflicting == len(rows)

    holds()
    assert min(became.values()) > 0, became
