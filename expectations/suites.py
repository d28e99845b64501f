"""The suite of each reporting table: the default suite, which follows from the contract, and the table's own rules.

Three kinds of expectations. Critical: the slice breaks the contract, so something upstream is broken, and the slice is
held. Row rule (``meta["row_rule"]``): a row that breaks it goes to quarantine, the others are merged. Warning: raises
an alert.
"""

from collections.abc import Callable
from typing import Any

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.text_length import ExpectTextAtMostChars
from pinwheel.core.contract import (
    COMMON_FIELDS,
    HOUR_COLUMN,
    MAX_EVENT_ID_CHARS,
    PIN_COLUMN_OF,
    PIN_FIELDS,
    TABLES,
    EventType,
    PinStatus,
    reporting_columns,
)

STAGING_COLUMNS = ("slice_id", "row_num", "change_version", "change_type")  # before the contract's, see sql/schema
AGE = "seconds_after_kafka"  # occurred_at minus kafka_timestamp, computed by the view audit_<table>, see sql/schema
REQUIRED = (
    "event_id",
    "occurred_at",
    HOUR_COLUMN,
    "user_id",
    "kafka_partition",
    "kafka_offset",
    "kafka_timestamp",
)
WIDTHS = {"region": 255, "city": 255, "ip_network": 64, "geo_version": 64}  # as in sql/schema; not in the contract
# Looser than the stream's limits, which are settings: this must catch a broken clock, not a changed setting.
OLDEST_SECONDS = -400 * 86_400
NEWEST_SECONDS = 86_400
LOCATED_SHARE = 0.5  # city databases know well over nine in ten addresses; below half the lookup must be broken
WITH_PIN_SHARE = 0.5  # of repins and comments


# A table's own expectations, beyond the contract. A function makes them, as an expectation belongs to one suite.
OWN: dict[str, Callable[[], list[Expectation]]] = {}


def suite_of(table: str) -> ExpectationSuite:
    """Build the suite of a table: the default expectations, then the table's own."""
    kind = TABLES[table]
    own = OWN.get(table, list)()
    return ExpectationSuite(name=table, expectations=[*critical(kind), *row_rules(kind), *warnings(kind), *own])


def critical(kind: EventType) -> list[Expectation]:
    """The slice has the contract's columns in order, at least one row, and no null in keys and lineage."""
    columns = [*STAGING_COLUMNS, *(c.name for c in reporting_columns(kind)), AGE]
    return [
        gxe.ExpectTableColumnsToMatchOrderedList(column_list=columns, severity=FailureSeverity.CRITICAL),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity=FailureSeverity.CRITICAL),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, severity=FailureSeverity.CRITICAL) for name in REQUIRED),
        gxe.ExpectColumnValuesToNotBeInSet(column="event_id", value_set=[""], severity=FailureSeverity.CRITICAL),
        ExpectTextAtMostChars(column="event_id", max_chars=MAX_EVENT_ID_CHARS, severity=FailureSeverity.CRITICAL),
    ]


def row_rules(kind: EventType) -> list[Expectation]:
    """Values are in range, in their set, and short enough for their columns."""
    rules: list[Expectation] = [
        rule(gxe.ExpectColumnValuesToBeBetween, column="user_id", min_value=0),
        rule(gxe.ExpectColumnValuesToBeBetween, column="latitude", min_value=-90, max_value=90),
        rule(gxe.ExpectColumnValuesToBeBetween, column="longitude", min_value=-180, max_value=180),
        rule(gxe.ExpectColumnValuesToMatchRegex, column="country_code", regex="^[A-Z]{2}$"),
        # In the rollups ZZ stands for an unknown country.
        rule(gxe.ExpectColumnValuesToNotBeInSet, column="country_code", value_set=["ZZ"]),
        rule(gxe.ExpectColumnValuesToBeBetween, column=AGE, min_value=OLDEST_SECONDS, max_value=NEWEST_SECONDS),
    ]
    return rules + _length_rules(kind) + _set_rules(kind) + (_pin_rules(kind) if kind.has_pin else [])


def _length_rules(kind: EventType) -> list[Expectation]:
    limits = WIDTHS | {f.name: f.max_chars for f in kind.fields if f.max_chars}
    pins = {PIN_COLUMN_OF[f.name]: f.max_chars for f in PIN_FIELDS if f.max_chars}
    names = [c.name for c in reporting_columns(kind)]
    limits |= {name: limit for name, limit in pins.items() if name in names}
    return [rule(ExpectTextAtMostChars, column=name, max_chars=limits[name]) for name in names if name in limits]


def _set_rules(kind: EventType) -> list[Expectation]:
    return [
        rule(gxe.ExpectColumnValuesToBeInSet, column=f.name, value_set=list(f.allowed))
        for f in (*COMMON_FIELDS, *kind.fields)
        if f.allowed
    ]


def _pin_rules(kind: EventType) -> list[Expectation]:
    rules = [
        rule(gxe.ExpectColumnValuesToNotBeNull, column="pin_id"),
        # In category_hourly (none) stands for a missing category.
        rule(gxe.ExpectColumnValuesToNotBeInSet, column="category", value_set=["(none)"]),
    ]
    if kind.names_pin:
        rules.append(rule(gxe.ExpectColumnValuesToBeInSet, column="pin_status", value_set=[s.value for s in PinStatus]))
    return rules


def warnings(kind: EventType) -> list[Expectation]:
    """Most rows are enriched."""
    expectations: list[Expectation] = [
        gxe.ExpectColumnValuesToNotBeNull(column="country_code", mostly=LOCATED_SHARE, severity=FailureSeverity.WARNING)
    ]
    if kind.names_pin:
        pending = [PinStatus.PENDING.value]
        expectations.append(
            gxe.ExpectColumnValuesToNotBeInSet(
                column="pin_status", value_set=pending, mostly=WITH_PIN_SHARE, severity=FailureSeverity.WARNING
            )
        )
    return expectations


def rule(expectation: type[Expectation], **values: Any) -> Expectation:
    """An expectation whose failing rows are quarantined."""
    return expectation(severity=FailureSeverity.WARNING, meta={"row_rule": True}, **values)
