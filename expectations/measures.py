"""The measures of an hour of a table, built from the contract: a new event type needs no change here.

Their SQL runs in DuckDB over ``events`` (each event of the hour once), which ``pinwheel.quality.profile`` makes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pinwheel.core.contract import (
    HOUR_COLUMN,
    LINEAGE,
    UNREADABLE,
    Column,
    EventType,
    PinStatus,
    Type,
    reporting_columns,
)

CATEGORICAL = ("category", "country_code", "client", "kafka_partition")  # columns whose values are counted
IMPLIED = ("region", "city", "longitude", "ip_network", "geo_version")  # not measured: they fail with the location
# A pin has one brand and one category: rows that differ from most of its rows in the hour are wrong, or corrected.
PIN_CONFLICT_SHARE = """1 - (
    SELECT SUM(most) FROM (
        SELECT MAX(n) AS most
        FROM (SELECT pin_id, COUNT(*) AS n FROM known GROUP BY pin_id, brand_id, category)
        GROUP BY pin_id
    )
) / NULLIF((SELECT COUNT(*) FROM known), 0)"""
PIN_CONFLICT = "pin_id IN (SELECT pin_id FROM known GROUP BY pin_id HAVING COUNT(DISTINCT (brand_id, category)) > 1)"
# The hour's start and end count as events, so that a gap at either end is measured too.
LONGEST_GAP = """(
    SELECT MAX(next_us - at_us) / 1e6
    FROM (SELECT at_us, LEAD(at_us) OVER (ORDER BY at_us) AS next_us FROM moments)
)"""


class Scale(StrEnum):
    """Kind of a measure's number; decides how far from the usual it may be."""

    COUNT = "count"
    SHARE = "share"  # 0 to 1, of the rows
    LEVEL = "level"  # a mean of natural logarithms: + 0.7 is twice as much
    SECONDS = "seconds"


@dataclass(frozen=True)
class Range:
    """Allowed range of a measure; None: no bound on that side. ``why`` is for people."""

    low: float | None
    high: float | None
    why: str


@dataclass(frozen=True)
class Measure:
    """One number of a profile.

    ``sql`` is an aggregate over ``events``. ``culprits`` is a condition that selects rows at fault, if there is one.
    ``spread``: it describes a distribution, so it needs more than ``FEW_ROWS`` rows.
    """

    name: str
    scale: Scale
    sql: str
    culprits: str | None = None
    spread: bool = False


def measures(kind: EventType) -> list[Measure]:
    """The measures of a table, from its columns in the contract."""
    return [*_of_rows(kind), *_of_time(), *(m for c in reporting_columns(kind) for m in _of_column(c))]


def _of_rows(kind: EventType) -> Iterator[Measure]:
    record = "HASH(kafka_partition, kafka_offset, kafka_timestamp)"  # in another log, another record has the place
    content = _content(kind)
    yield Measure("row_count", Scale.COUNT, "COUNT(*)")
    yield Measure("duplicate_share", Scale.SHARE, "1 - COUNT(*) / (SELECT deliveries FROM loaded)")
    yield Measure(
        "same_record_rows", Scale.COUNT, f"COUNT(*) - COUNT(DISTINCT {record})", f"{record} IN ({_several(record)})"
    )
    repeated = f"(SELECT COALESCE(SUM(n), 0) FROM ({_several(content, 'COUNT(*) AS n')})) / COUNT(*)"
    yield Measure("repeated_share", Scale.SHARE, repeated, f"({content}) IN ({_several(content)})")
    person = "user_id = (SELECT MODE(user_id) FROM events)"
    yield Measure("busiest_person_share", Scale.SHARE, _top("user_id"), person, spread=True)
    yield Measure("people_share", Scale.SHARE, "COUNT(DISTINCT user_id) / COUNT(*)", spread=True)
    unreadable = f"geo_version = '{UNREADABLE}'"
    yield Measure("unreadable_ip_share", Scale.SHARE, f"AVG(COALESCE({unreadable}, FALSE)::INT)", unreadable)
    if kind.has_pin:
        yield Measure("pin_conflict_share", Scale.SHARE, PIN_CONFLICT_SHARE, PIN_CONFLICT)
    if kind.names_pin:
        for status in (PinStatus.PENDING, PinStatus.UNKNOWN):
            is_it = f"pin_status = '{status}'"
            yield Measure(f"{status}_share", Scale.SHARE, f"AVG(COALESCE({is_it}, FALSE)::INT)", is_it)


def _content(kind: EventType) -> str:
    """The columns by which two events with different ids are the same event."""
    own = [c.name for c in reporting_columns(kind) if c.name in {f.name for f in kind.fields}]
    return ", ".join(dict.fromkeys(["user_id", "at_us", *own, *(["pin_id"] if kind.has_pin else [])]))


def _several(expressions: str, wanted: str | None = None) -> str:
    """Query of the values that occur more than once."""
    return f"SELECT {wanted or expressions} FROM events GROUP BY {expressions} HAVING COUNT(*) > 1"


def _of_time() -> Iterator[Measure]:
    second = "at_us // 1000000"
    busiest = f"{second} = (SELECT MODE({second}) FROM events)"
    future = "EPOCH_US(kafka_timestamp) - at_us < -5000000"
    yield Measure("busiest_second_share", Scale.SHARE, _top(second), busiest, spread=True)
    yield Measure("longest_gap_seconds", Scale.SECONDS, LONGEST_GAP, spread=True)
    yield Measure("delay_seconds", Scale.SECONDS, "MEDIAN(EPOCH_US(kafka_timestamp) - at_us) / 1e6")
    yield Measure("future_share", Scale.SHARE, f"AVG(({future})::INT)", future)


def _of_column(column: Column) -> Iterator[Measure]:
    name = column.name
    if name in (*LINEAGE, *IMPLIED, "event_id", "occurred_at", HOUR_COLUMN):
        return
    yield Measure(f"null_share_{name}", Scale.SHARE, f"AVG(({name} IS NULL)::INT)", f"{name} IS NULL")
    if column.type == Type.INT64:
        level = f"AVG(LN(1 + ABS({name}::DOUBLE)))"
        yield Measure(f"level_{name}", Scale.LEVEL, level, f"{name} > 10 * (SELECT MEDIAN({name}) FROM events)")
    if column.type == Type.STRING and name not in CATEGORICAL:
        level = f"AVG(LN(1 + LENGTH({name})))"
        yield Measure(f"level_length_{name}", Scale.LEVEL, level, f"LENGTH({name}) <= 1")
        top = f"{name} = (SELECT MODE({name}) FROM events)"
        yield Measure(f"top_share_{name}", Scale.SHARE, _top(name), top, spread=True)


def checksum(kind: EventType) -> str:
    """A row's checksum over the columns that all deliveries of an event share; equals that of ``checked_<table>``.

    32 bits of an MD5, which both engines have. Degrees are rounded to four decimals: the engines print doubles
    differently.
    """
    texts = [f"COALESCE({_as_text(c)}, '~')" for c in reporting_columns(kind) if c.name not in (*LINEAGE, HOUR_COLUMN)]
    return f"('0x' || LEFT(MD5(CONCAT_WS('|', {', '.join(texts)})), 8))::BIGINT"


def _as_text(column: Column) -> str:
    if column.type == Type.TIMESTAMP:
        return f"EPOCH_US({column.name})::VARCHAR"
    if column.type == Type.DOUBLE:
        return f"FLOOR({column.name} * 10000 + 0.5)::BIGINT::VARCHAR"  # ROUND rounds halves to even in one engine only
    return f"{column.name}::VARCHAR"


def _top(expression: str) -> str:
    """The share of the most common value."""
    return f"(SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM events GROUP BY {expression})) / COUNT(*)"
