"""Great Expectations on a staged slice, in SQL. Built once per process, because building it costs seconds of CPU."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pinwheel.clients import memsql
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MemsqlSettings

KEY = "row_num"  # identifies a row within a slice
SAMPLE_VALUES = 5
COLUMNS_RULE = "expect_table_columns_to_match_ordered_list"


@dataclass(frozen=True)
class Finding:
    """One expectation that a slice did not meet. ``rows`` is the number of failed rows, 0 for one about the table."""

    rule: str
    column: str | None
    critical: bool
    row_rule: bool
    rows: int
    observed: str

    @property
    def about_rows(self) -> bool:
        """Whether the failure can be traced to single rows."""
        return self.column is not None


class Gate:
    """Checks slices against their table's suite."""

    def __init__(self, settings: MemsqlSettings) -> None:
        self._source = _connect(settings)
        self._suites: dict[str, Any] = {}
        self._batches: dict[str, Any] = {}

    def prepare(self, table: str) -> None:
        """Build in advance what the first check of a table needs."""
        self._suite(table)
        self._slices(table)

    def check(self, table: str, slice_id: int) -> list[Finding]:
        """The expectations that the slice does not meet, in the suite's order.

        Raises:
            MergeError: an expectation could not be evaluated although the columns are right.
        """
        # Examples cost a query and 10 ms of CPU per expectation, so only failed expectations are asked for them.
        results = self._validate(table, slice_id, self._suite(table), {"result_format": "BOOLEAN_ONLY"})
        failed = {_name(r.expectation_config) for r in results if not r.success}
        if not failed:
            return []
        failures = self._validate(table, slice_id, self._part(table, failed), {"result_format": "BASIC"})
        findings = [_finding(result) for result in failures]
        broken = [r.exception_info for r in failures if _raised(r)]
        if broken and not any(f.rule == COLUMNS_RULE for f in findings):
            raise MergeError(f"slice {slice_id} of {table} could not be audited: {_message(broken[0])}")
        return findings

    def broken_rows(self, table: str, slice_id: int, findings: Sequence[Finding]) -> dict[int, list[str]]:
        """Row number -> every reason with the offending value, for each row that breaks one of ``findings``.

        Raises:
            MergeError: fewer rows could be identified than were counted.
        """
        suite = self._part(table, {(f.rule, f.column) for f in findings})
        how = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [KEY],
            "return_unexpected_index_query": False,
            "partial_unexpected_count": max(f.rows for f in findings),  # on SQL, COMPLETE alone returns only 20 rows
        }
        reasons: dict[int, list[str]] = {}
        for result in self._validate(table, slice_id, suite, how):
            finding = _finding(result)
            named = result.result.get("unexpected_index_list") or []
            if len(named) != finding.rows:
                raise MergeError(
                    f"slice {slice_id} of {table}: {finding.rows} rows break {finding.rule}({finding.column}), but "
                    f"only {len(named)} could be identified; nothing of the slice is merged"
                )
            for row in named:
                reasons.setdefault(row[KEY], []).append(
                    f"{finding.rule}: {finding.column}={row.get(finding.column)!r:.200}"
                )
        return reasons

    def _suite(self, table: str) -> Any:
        if table not in self._suites:
            from expectations.suites import suite_of

            self._suites[table] = suite_of(table)
        return self._suites[table]

    def _part(self, table: str, named: Collection[tuple[str, str | None]]) -> Any:
        from great_expectations import ExpectationSuite

        from expectations.suites import suite_of

        kept = [e for e in suite_of(table).expectations if _name(e.configuration) in named]
        return ExpectationSuite(name=f"{table}_part", expectations=kept)

    def _validate(self, table: str, slice_id: int, suite: Any, result_format: dict[str, Any]) -> list[Any]:
        batch = self._slices(table).get_batch({"slice_id": slice_id})
        return list(batch.validate(suite, result_format=result_format).results)

    def _slices(self, table: str) -> Any:
        """The staged upserts by slice. Read from a view: GX fetches all rows of a query to learn its columns."""
        if table not in self._batches:
            from great_expectations.core.partitioners import PartitionerColumnValue

            asset = self._source.add_table_asset(name=table, table_name=f"audit_{table}")
            by_slice = PartitionerColumnValue(column_name="slice_id")
            self._batches[table] = asset.add_batch_definition("by_slice", by_slice, validate_partitioner=False)
        return self._batches[table]


def _connect(settings: MemsqlSettings) -> Any:
    from expectations.context import quiet_context

    return quiet_context().data_sources.add_sql(
        name="memsql",
        connection_string=memsql.sqlalchemy_url(settings).render_as_string(hide_password=False),
        create_temp_table=False,  # each query reads a few columns; copying the slice would cost more
        # A long-lived connection in REPEATABLE READ would keep reading the first slice's snapshot.
        kwargs={"isolation_level": "AUTOCOMMIT", "pool_pre_ping": True},
    )


def _name(config: Any) -> tuple[str, str | None]:
    return config.type, config.kwargs.get("column")


def _finding(result: Any) -> Finding:
    config = result.expectation_config
    return Finding(
        rule=config.type,
        column=config.kwargs.get("column"),
        critical=str(getattr(config.severity, "value", config.severity)) == "critical",
        row_rule=bool((config.meta or {}).get("row_rule")),
        rows=int(result.result.get("unexpected_count") or 0),
        observed=_observed(result),
    )


def _observed(result: Any) -> str:
    if _raised(result):
        return _message(result.exception_info)
    sample = result.result.get("partial_unexpected_list") or []
    value = result.result.get("observed_value")
    return f"{sample[:SAMPLE_VALUES]!r:.500}" if sample or value is None else f"{value!r:.500}"


def _raised(result: Any) -> bool:
    return bool(_exceptions(result.exception_info))


def _exceptions(info: dict[str, Any] | None) -> list[dict[str, Any]]:
    """GX returns either one exception or one per metric."""
    infos = [info or {}] if "raised_exception" in (info or {}) else list((info or {}).values())
    return [i for i in infos if isinstance(i, dict) and i.get("raised_exception")]


def _message(info: dict[str, Any]) -> str:
    return f"{_exceptions(info)[0].get('exception_message')!s:.500}"
