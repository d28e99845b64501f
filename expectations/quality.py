"""Suites of an hour of a table: compared with the reporting database, by absolute limits, and with its past.

The gate's suites check every row of a slice. These check the measures of a whole hour, which show defects that no
single row has: half the volume, a clock that stands still, a renamed category.
"""

from collections.abc import Mapping
from typing import Any

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.measures import Range, measures
from pinwheel.core.contract import TABLES

AGREED = ("row_count", "checksum")  # must be equal in lake and reporting table
CRITICAL = ("row_count", "same_record_rows", "gone_values_share_kafka_partition", "new_values_share_category")
FORGIVEN_ROWS = 5  # so many rows may always break a rule that allows a share: in small hours one row is a large share
# Absolute limits: they hold whatever the past was.
ABSOLUTE = {
    "same_record_rows": Range(None, 0, "a Kafka record is one event"),
    "future_share": Range(None, 0.01, "Kafka gets an event after it happened; clocks differ by seconds"),
    "busiest_second_share": Range(None, 0.2, "a clock that stands still gives every event the same second"),
    "repeated_share": Range(None, 0.01, "the same act at the same microsecond is one event under two ids"),
    "place_wrong_share": Range(None, 0.1, "the location database says another place of the same network"),
    "pin_conflict_share": Range(None, 0.01, "a pin has one brand and one category"),
    "unreadable_ip_share": Range(None, 0.02, "gateways send addresses; a form that can't be read gives no place"),
    "pending_share": Range(None, 0.25, "complete_pins fills most rows in within minutes"),
    "null_share_country_code": Range(None, 0.5, "city databases know well over nine in ten addresses"),
}


def suite(table: str, usual: Mapping[str, Range], compared: bool, rows: float) -> ExpectationSuite:
    """The suite of an hour of a table; its batch is one row with a column per measure.

    Args:
        table: a reporting table.
        usual: ranges of its measures that follow from the past.
        compared: whether the batch has the columns ``lake_…`` and ``memsql_…`` of ``AGREED``.
        rows: number of rows in the hour; see ``FORGIVEN_ROWS``.
    """
    always = {m.name: _forgiving(ABSOLUTE[m.name], rows) for m in measures(TABLES[table]) if m.name in ABSOLUTE}
    always["place_wrong_share"] = ABSOLUTE["place_wrong_share"]
    expectations = [_between(name, _narrowed(usual.get(name), always.get(name))) for name in {**always, **usual}]
    if compared:
        expectations += [
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A=f"lake_{name}",
                column_B=f"memsql_{name}",
                severity=FailureSeverity.CRITICAL,
                meta={"measure": name},
            )
            for name in AGREED
        ]
    return ExpectationSuite(name=table, expectations=expectations)


def rollups(names: list[str]) -> ExpectationSuite:
    """The suite of the rollups of an hour; its batch has, per rollup, the number of its wrong buckets."""
    return ExpectationSuite(
        name="rollups",
        expectations=[
            _between(f"wrong_{name}", Range(0, 0, "a rollup is what a count of the rows says")) for name in names
        ],
    )


def _forgiving(allowed: Range, rows: float) -> Range:
    high = allowed.high or 0.0
    return Range(allowed.low, max(high, FORGIVEN_ROWS / rows) if high and rows else high, allowed.why)


def _narrowed(usual: Range | None, always: Range | None) -> Range:
    """The stricter of both ranges: a bad past does not widen an absolute limit."""
    if usual is None or always is None or usual.high is None or always.high is None:
        return usual or always or Range(None, None, "")
    return usual if usual.high < always.high else Range(usual.low, always.high, always.why)


def _between(name: str, allowed: Range) -> Expectation:
    values: dict[str, Any] = {"min_value": allowed.low, "max_value": allowed.high}
    return gxe.ExpectColumnValuesToBeBetween(
        column=name,
        severity=FailureSeverity.CRITICAL if name in CRITICAL or name.startswith("wrong_") else FailureSeverity.WARNING,
        meta={"measure": name, "why": allowed.why},
        **values,
    )
