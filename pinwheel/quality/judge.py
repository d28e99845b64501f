"""Great Expectations on an hour's measures: one row, one suite, one page in Data Docs."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from expectations.measures import Range
from pinwheel.quality.pages import keep_local
from pinwheel.quality.profile import Profile

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Verdict:
    """Whether an hour met one expectation. ``observed`` and ``expected`` are texts for people."""

    measure: str
    expectation: str
    is_critical: bool
    is_met: bool
    observed: str
    expected: str


class Judge:
    """Evaluates suites. Built once per process, because building it costs seconds of CPU.

    Args:
        folder: stores results and Data Docs; None: they are not stored.
    """

    def __init__(self, folder: Path | None) -> None:
        from expectations.context import quiet_context

        self._keeps = folder is not None
        self._context = quiet_context(folder)
        self._source = self._context.data_sources.add_or_update_pandas("hours")
        self._batches: dict[str, Any] = {}
        self._pages: list[Any] = []

    def hour(
        self, profile: Profile, values: Mapping[str, Any], usual: Mapping[str, Range], compared: bool
    ) -> list[Verdict]:
        """The verdicts on an hour of a table; ``values``: the profile's, and those that it is compared with."""
        from expectations.quality import suite

        return self._judge(profile.table, profile.hour, values, suite(profile.table, usual, compared, profile.rows))

    def rollups(self, hour: datetime, wrong: Mapping[str, int]) -> list[Verdict]:
        """The verdicts on the rollups; ``wrong``: the number of each rollup's buckets that differ from the rows."""
        from expectations.quality import rollups

        values = {f"wrong_{name}": buckets for name, buckets in wrong.items()}
        return self._judge("rollups", hour, values, rollups(list(wrong)))

    def _judge(self, name: str, hour: datetime, values: Mapping[str, Any], suite: Any) -> list[Verdict]:
        import pandas as pd

        # One column per measure of the suite. A measure without a value is null, which meets every range.
        row = {column: values.get(column) for e in suite.expectations for column in _columns(e.configuration.kwargs)}
        batch = {"dataframe": pd.DataFrame([row])}
        result = self._batch(name).get_batch(batch).validate(suite)
        if self._keeps:
            self._keep(name, hour, result)
        return [_verdict(judged, row) for judged in result.results]

    def _keep(self, name: str, hour: datetime, result: Any) -> None:
        """Store a result for Data Docs; storing it again adds a second page.

        Written directly to the store: a validation definition would also write the suite, which differs each hour, and
        that takes more CPU than the validation.
        """
        from great_expectations import RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        run_id = RunIdentifier(run_name=f"{hour:%Y-%m-%dT%H}")
        suite = ExpectationSuiteIdentifier(name=name)
        identifier = ValidationResultIdentifier(
            expectation_suite_identifier=suite, run_id=run_id, batch_identifier=f"hours-{name}"
        )
        result.meta |= {"run_id": run_id, "validation_time": run_id.run_time}
        self._context.validation_results_store.store_validation_results(
            suite_validation_result=result,
            suite_validation_result_identifier=identifier,
            expectation_suite_identifier=suite,
        )
        self._pages.append(identifier)

    def _batch(self, name: str) -> Any:
        if name not in self._batches:
            self._batches[name] = self._source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("hour")
        return self._batches[name]

    def publish(self, keep_days: int, web: Path) -> Path:
        """Build the pages of the verdicts since the last call, remove old ones; returns the index page.

        If it dies half-way, the built pages are correct but may still load files from other servers.
        """
        began = time.time()
        folder = Path(self._context.root_directory) / "uncommitted"
        _forget(folder / "validations", keep_days)
        _forget(folder / "data_docs" / "local_site" / "validations", keep_days)
        self._context.build_data_docs(resource_identifiers=self._pages or None)
        self._pages = []
        site = folder / "data_docs" / "local_site"
        keep_local(site, web, began)
        return site / "index.html"


def _columns(kwargs: Mapping[str, Any]) -> list[str]:
    return [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]


def _verdict(result: Any, row: Mapping[str, Any]) -> Verdict:
    config = result.expectation_config
    kwargs, meta = config.kwargs, config.meta or {}
    named = _columns(kwargs)
    return Verdict(
        measure=meta["measure"],
        expectation=config.type,
        is_critical=str(getattr(config.severity, "value", config.severity)) == "critical",
        is_met=bool(result.success),
        observed=", ".join(f"{name} = {_text(row[name])}" for name in named),
        expected=_expected(kwargs, meta),
    )


def _expected(kwargs: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    if "column_A" in kwargs:
        return "both the same"
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    bounds = [f"{word} {_text(bound)}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return f"{' and '.join(bounds)}: {meta['why']}"


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _forget(folder: Path, keep_days: int) -> None:
    """Remove results of checks older than ``keep_days``; if it dies half-way, the next run removes the rest."""
    if not folder.exists():
        return
    for hour in folder.glob("*/*"):
        if hour.is_dir() and time.time() - hour.stat().st_mtime > keep_days * DAY_SECONDS:
            shutil.rmtree(hour, ignore_errors=True)
