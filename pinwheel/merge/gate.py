"""The gate between a prepared slice and the reporting table: DuckDB counts, Great Expectations judges (ADR 0012).

A broken critical rule holds the slice until a person decides. Rows that break a row rule go to ``quarantine`` with
every reason and the rest goes on; too many such rows hold the slice. A broken warning is only reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pinwheel.core.errors import MergeError
from pinwheel.merge.prepare import Prepared

ALL_ROW_RULES = "row rules"  # a row of the batch: the rows that break at least one of them
SMALL_ROWS = 1000  # a smaller slice is never held for its bad rows: a share of few rows says nothing


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on a slice. ``reasons`` says why it is held; empty when it may be merged."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    quarantined: int = 0

    @property
    def held(self) -> bool:
        """Whether the slice waits for a person."""
        return bool(self.reasons)


class Gate:
    """Judges slices. Built once per process, because building it costs seconds of CPU.

    Args:
        max_share: of a slice's rows; a slice of ``SMALL_ROWS`` or more is held if a larger share breaks row rules.
    """

    def __init__(self, max_share: float) -> None:
        from expectations.context import quiet_context
        from expectations.suites import suite

        asset = quiet_context().data_sources.add_or_update_pandas("slices").add_dataframe_asset("slice")
        self._batches = asset.add_batch_definition_whole_dataframe("rules")
        self._suite = suite()
        self._judging = Lock()  # parts of a rebuild are prepared side by side
        self._max_share = max_share

    def check(self, slice_: Prepared, *, accepted: bool = False) -> Verdict:
        """Judge a slice; if it may pass, its bad rows are set aside for quarantine.

        Args:
            slice_: the slice.
            accepted: a person wants it merged: it is not held, and rows that break a critical rule go to quarantine.
        """
        from expectations.suites import Kind, rules_of

        rules = rules_of(slice_.table)
        broken = slice_.broken(rules)
        at_fault = (Kind.ROW, Kind.CRITICAL) if accepted else (Kind.ROW,)
        blamed = [r for r in rules if broken[r.label] and r.kind in at_fault]
        unmet = self._unmet(slice_, rules, broken)
        told = {r.label: self._text(slice_, r, broken[r.label]) for r in rules if r.label in unmet}
        warnings = tuple(told[r.label] for r in rules if r.label in unmet and r.kind == Kind.WARNING)
        if accepted:
            return Verdict(warnings=warnings, quarantined=slice_.set_aside(blamed))
        reasons = [told[r.label] for r in rules if r.label in unmet and r.kind != Kind.WARNING]
        if not reasons and ALL_ROW_RULES in unmet:
            bad, most = slice_.rows_that_break(blamed), int(self._most_bad(slice_))
            reasons = [f"{bad:,} of {slice_.rows_read:,} rows would be quarantined; allowed are {most:,}"]
        if reasons:
            return Verdict(tuple(reasons), warnings)
        return Verdict(warnings=warnings, quarantined=slice_.set_aside(blamed))

    def _unmet(self, slice_: Prepared, rules: Sequence[Any], broken: dict[str, int]) -> set[str]:
        import pandas as pd

        from expectations.suites import EXCESS, Kind

        row_rules = [r for r in rules if r.kind == Kind.ROW]
        most = self._most_bad(slice_)
        excess = {r.label: broken[r.label] - self._allowed(slice_, r) for r in rules}
        several = sum(broken[r.label] for r in row_rules)
        excess[ALL_ROW_RULES] = slice_.rows_that_break(row_rules) - most if several > most else 0.0
        batch = pd.DataFrame({"rule": list(excess), EXCESS: [float(n) for n in excess.values()]})
        how = {"result_format": "COMPLETE", "unexpected_index_column_names": ["rule"]}
        with self._judging:
            (result,) = self._batches.get_batch({"dataframe": batch}).validate(self._suite, result_format=how).results
        if result.result.get("element_count") != len(batch):
            raise MergeError(f"a slice of {slice_.table} could not be judged: {result.exception_info}")
        return {row["rule"] for row in result.result.get("unexpected_index_list") or []}

    def _text(self, slice_: Prepared, rule: Any, rows: int) -> str:
        allowed = int(self._allowed(slice_, rule))
        said = f"{rule.column} {rule.fault} in {rows:,} of {slice_.rows_read:,} rows; allowed are {allowed:,}"
        return said if rule.is_about_null else f"{said}, observed {slice_.sample(rule)!r:.500}"

    def _allowed(self, slice_: Prepared, rule: Any) -> float:
        """How many rows may break the rule."""
        from expectations.suites import Kind

        return self._most_bad(slice_) if rule.kind == Kind.ROW else float(rule.share * slice_.upserts)

    def _most_bad(self, slice_: Prepared) -> float:
        """How many rows may be quarantined."""
        rows: int = slice_.rows_read
        return rows * (self._max_share if rows >= SMALL_ROWS else 1.0)
