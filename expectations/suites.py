"""The rules of each reporting table's slices: the default ones, which follow from the contract, and the table's own.

DuckDB counts the rows of a slice that break each rule; Great Expectations judges the counts (ADR 0012). Three kinds of
rules. Critical: a row breaks the contract, so something upstream is broken, and the slice is held. Row rule: a row that
breaks it goes to quarantine, the others are merged. Warning: raises an alert.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.expectations.metadata_types import FailureSeverity

from pinwheel.core.contract import (
    COMMON_FIELDS,
    HOUR_COLUMN,
    MAX_EVENT_ID_CHARS,
    PIN_COLUMN_OF,
    PIN_FIELDS,
    TABLES,
    EventType,
    PinStatus,
    Type,
    reporting_columns,
)

AGE = "seconds_after_kafka"  # occurred_at minus kafka_timestamp, computed when a slice is prepared
REQUIRED = (
    "event_id",
    "occurred_at",
    HOUR_COLUMN,
    "user_id",
    "kafka_partition",
    "kafka_offset",
    "kafka_timestamp",
)
WIDTHS = {"event_id": MAX_EVENT_ID_CHARS, "region": 255, "city": 255, "ip_network": 64, "geo_version": 64}  # sql/schema
# What a DATETIME(6) holds on every engine.
FIRST_TIME, LAST_TIME = "TIMESTAMP '1000-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
# Looser than the stream's limits, which are settings: this must catch a broken clock, not a changed setting.
OLDEST_SECONDS = -400 * 86_400
NEWEST_SECONDS = 86_400
LOCATED_SHARE = 0.5  # city databases know well over nine in ten addresses; below half the lookup must be broken
WITH_PIN_SHARE = 0.5  # of repins and comments
EXCESS = "excess"
NOT_NULL = "expect_column_values_to_not_be_null"
FAULTS = {  # of a column whose rule is broken, for people
    NOT_NULL: "is missing",
    "expect_column_values_to_be_between": "is out of its range",
    "expect_column_values_to_be_in_set": "is none of its values",
    "expect_column_values_to_not_be_in_set": "has a value that it must not have",
    "expect_column_values_to_match_regex": "is malformed",
    "expect_text_at_most_chars": "is too long",
}


class Kind(StrEnum):
    """The consequence of a broken rule."""

    CRITICAL = "critical"  # one row holds the slice
    ROW = "row"  # the row goes to quarantine; too many of them hold the slice
    WARNING = "warning"  # more than ``share`` of the rows raise an alert


@dataclass(frozen=True)
class Rule:
    """A rule about one column.

    ``broken`` is a condition in DuckDB's SQL on a row; a null condition is not broken. ``name`` is that of the
    expectation of Great Expectations that says the same. ``share``: the share of the rows that may break it.
    """

    name: str
    column: str
    broken: str
    kind: Kind = Kind.ROW
    share: float = 0.0

    @property
    def label(self) -> str:
        """The rule's name in the quarantine and the logs."""
        return f"{self.name}({self.column})"

    @property
    def fault(self) -> str:
        """The fault of a column whose rule is broken, for people."""
        return FAULTS[self.name]

    @property
    def is_about_null(self) -> bool:
        """Whether what breaks it is no value at all."""
        return self.name == NOT_NULL


# A table's own rules, beyond the contract.
OWN: dict[str, Callable[[], list[Rule]]] = {}


def rules_of(table: str) -> list[Rule]:
    """The rules of a table: the default ones, then the table's own."""
    kind = TABLES[table]
    return [*critical(kind), *row_rules(kind), *warnings(kind), *OWN.get(table, list)()]


def suite() -> ExpectationSuite:
    """The suite of every slice. Its batch has a row per rule, and one for all row rules together; ``EXCESS`` is by how
    many more rows than allowed break it.

    One expectation, not one per rule: each costs 10 ms of CPU, for every slice of every table.
    """
    judged = gxe.ExpectColumnValuesToBeBetween(column=EXCESS, max_value=0, severity=FailureSeverity.CRITICAL)
    return ExpectationSuite(name="slice", expectations=[judged])


def critical(kind: EventType) -> list[Rule]:
    """No null in keys and lineage, no empty key."""
    found = [not_null(name) for name in REQUIRED if name in _names(kind)] + [none_of("event_id", [""])]
    return [replace(rule, kind=Kind.CRITICAL) for rule in found]


def row_rules(kind: EventType) -> list[Rule]:
    """Values are in range, in their set, and such that their columns can hold them."""
    rules = [
        between("user_id", 0, None),
        between("latitude", -90, 90),
        between("longitude", -180, 180),
        matches("country_code", "^[A-Z]{2}$"),
        none_of("country_code", ["ZZ"]),  # in the rollups it stands for an unknown country
        between(AGE, OLDEST_SECONDS, NEWEST_SECONDS),
    ]
    return rules + _storable(kind) + _set_rules(kind) + (_pin_rules(kind) if kind.has_pin else [])


def _storable(kind: EventType) -> list[Rule]:
    """No value that the database would cut or refuse."""
    limits = WIDTHS | {f.name: f.max_chars for f in kind.fields if f.max_chars}
    limits |= {PIN_COLUMN_OF[f.name]: f.max_chars for f in PIN_FIELDS if f.max_chars}
    times = [c.name for c in reporting_columns(kind) if c.type == Type.TIMESTAMP and c.name != HOUR_COLUMN]
    texts = [name for name in _names(kind) if name in limits]
    return [at_most_chars(name, limits[name]) for name in texts] + [
        between(name, FIRST_TIME, LAST_TIME) for name in times
    ]


def _set_rules(kind: EventType) -> list[Rule]:
    return [one_of(f.name, f.allowed) for f in (*COMMON_FIELDS, *kind.fields) if f.allowed]


def _pin_rules(kind: EventType) -> list[Rule]:
    # In category_hourly (none) stands for a missing category.
    rules = [not_null("pin_id"), none_of("category", ["(none)"])]
    return rules + ([one_of("pin_status", [s.value for s in PinStatus])] if kind.names_pin else [])


def warnings(kind: EventType) -> list[Rule]:
    """Most rows are enriched."""
    found = [replace(not_null("country_code"), share=1 - LOCATED_SHARE)]
    if kind.names_pin:
        found.append(replace(none_of("pin_status", [PinStatus.PENDING.value]), share=1 - WITH_PIN_SHARE))
    return [replace(rule, kind=Kind.WARNING) for rule in found]


def _names(kind: EventType) -> list[str]:
    return [c.name for c in reporting_columns(kind)]


def not_null(column: str) -> Rule:
    """A value is there."""
    return Rule(NOT_NULL, column, f"{column} IS NULL")


def between(column: str, low: float | str | None, high: float | str | None) -> Rule:
    """A value is in a range; bounds are numbers or SQL, None: no bound. NaN is in no range."""
    bounds = [f"{column} < {low}"] * (low is not None) + [f"{column} > {high}"] * (high is not None)
    return Rule("expect_column_values_to_be_between", column, " OR ".join(bounds))


def one_of(column: str, values: Sequence[str]) -> Rule:
    """A value is in a set."""
    return Rule("expect_column_values_to_be_in_set", column, f"{column} NOT IN ({_texts(values)})")


def none_of(column: str, values: Sequence[str]) -> Rule:
    """A value is not in a set."""
    return Rule("expect_column_values_to_not_be_in_set", column, f"{column} IN ({_texts(values)})")


def matches(column: str, regex: str) -> Rule:
    """A value matches a regular expression."""
    return Rule("expect_column_values_to_match_regex", column, f"NOT regexp_matches({column}, {_texts([regex])})")


def at_most_chars(column: str, most: int) -> Rule:
    """A text has at most so many characters, as the database counts them: code points."""
    return Rule("expect_text_at_most_chars", column, f"length({column}) > {most}")


def _texts(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
