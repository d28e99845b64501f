"""Make the reports of many brands: those that are due, in batches, each revision once.

Files are written before a report is listed. A run that dies in between leaves unlisted files, and the next run makes
the report again. If the database is unavailable, the work is retried. One brand's failure does not stop the others.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pymysql
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.days import NAMED_UTC
from pinwheel.core.errors import AskedError, PinwheelError
from pinwheel.core.settings import MailSettings, ReportSettings
from pinwheel.core.times import naive
from pinwheel.reports import mail, revisions, zones
from pinwheel.reports.complete import complete_through
from pinwheel.reports.numbers import Brand, Earlier, Numbers, ReportStatus, changes, digest, is_unchanged, settled
from pinwheel.reports.page import page
from pinwheel.reports.period import Period, recent, require_over
from pinwheel.reports.read import quality, read
from pinwheel.reports.revisions import Report
from pinwheel.reports.store import Store
from pinwheel.reports.tables import tables

log = logging.getLogger(__name__)

ATTEMPTS = 6  # with pauses of 1, 2, 4, 8, 16 s: outlasts a restart of the database; after that Airflow retries
TRACED = 5  # failures that are logged with a traceback
MADE, REVISED, UNCHANGED, FAILED = "made", "revised", "unchanged", "failed"

T = TypeVar("T")


@dataclass
class Tally:
    """The outcome of each report by period and brand, and the reasons of failures."""

    outcomes: dict[tuple[str, int], str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, period: Period, brand: Brand, outcome: str) -> None:
        """Record an outcome. The first one counts: a retried batch sees its own reports as unchanged."""
        self.outcomes.setdefault((period.key, brand.brand_id), outcome)

    def counts(self) -> dict[str, int]:
        """Number of reports by outcome."""
        return dict(Counter(self.outcomes.values()))


class Maker:
    """Makes reports on one connection, which is reopened if the server closes it."""

    def __init__(
        self,
        settings: ReportSettings,
        mails: MailSettings,
        store: Store,
        now: Callable[[], datetime],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tally = Tally()
        self._settings, self._mails, self._store, self._now, self._wait = settings, mails, store, now, wait
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None and self._connection.open:
            self._connection.close()
        self._connection = None

    def due(self) -> None:
        """Make the scheduled reports: those of recent periods that are missing or may differ now."""
        first_day = self._again(revisions.first_day)
        if first_day is None:
            log.info("nothing has been merged yet: no reports")
            return
        through, kept_from = self._through(), self._again(revisions.kept_from)
        kinds, back_days = self._settings.report_periods, self._settings.report_back_days
        of_brand = self._again(revisions.zones)
        for time_zone in self._known({NAMED_UTC, *of_brand.values()}, of_brand):
            for period in recent(kinds, back_days, self._now(), time_zone):
                if period.ends_after(first_day) and period.before.begins_after(kept_from):
                    self._period(period, through, partial(_due, is_young=self._is_young(period)))

    def _known(self, names: Iterable[str], of_brand: Mapping[int, str]) -> list[str]:
        """Those that are time zones: another name is the failure of its brands alone."""
        known, failed = zones.known(names, of_brand)
        self.tally.failed |= failed
        return known

    def _is_young(self, period: Period) -> bool:
        """Whether missing reports of this period are still made: a week's until the next week is over."""
        days = max(self._settings.report_catch_up_days, period.days)
        return naive(self._now()) - period.end < timedelta(days=days)

    def asked(self, period: Period, brand_ids: Sequence[int]) -> None:
        """Make the reports of the same days of each brand's time zone, for all brands or some.

        Without ``brand_ids``, zones where the days are not over yet are left to the schedule, and zones whose rows
        are gone are left out, unless that is so in all.

        Raises:
            AskedError: the days are not over, nothing was merged for them, or a brand is unknown.
        """
        of_brand = self._again(revisions.zones)
        names = {of_brand.get(b, NAMED_UTC) for b in brand_ids} if brand_ids else {NAMED_UTC, *of_brand.values()}
        periods = [replace(period, time_zone=name) for name in self._known(names, of_brand)]
        over = [one for one in periods if one.is_over(self._now())]
        for one in periods if brand_ids or not over else []:
            require_over(one, self._now())
        lacks = {one: why for one in over if (why := self._lack(one))}
        for why in lacks.values() if brand_ids or len(lacks) == len(over) else []:
            raise AskedError(why)
        through = self._through()
        for one in (one for one in over if one not in lacks):
            mine = [b for b in brand_ids if of_brand.get(b, NAMED_UTC) == one.time_zone]
            self._period(one, through, partial(_chosen, brand_ids=mine, period=one))

    def _lack(self, period: Period) -> str | None:
        """Why a period has no reports; None: it can have them."""
        first_day = self._again(revisions.first_day)
        if first_day is None or not period.ends_after(first_day):
            since = f"the first day with events is {first_day}" if first_day else "nothing has been merged yet"
            return f"there is nothing to report for {period.days} days from {period.first_day}: {since}"
        kept_from = self._again(revisions.kept_from)
        if not period.before.begins_after(kept_from):
            return f"reports for {period.first_day} can't be made: the tables keep rows from {kept_from} on"
        return None

    def _through(self) -> datetime | None:
        through = self._again(lambda connection: complete_through(connection, self._settings, self._now))
        log.info("complete_through=%s", through)
        return through

    def _period(
        self,
        period: Period,
        through: datetime | None,
        choose: Callable[[list[Brand], dict[int, Row], ReportStatus], list[Brand]],
    ) -> None:
        state = ReportStatus(
            through, through is not None and through >= period.end, self._again(lambda c: quality(c, period))
        )
        known = self._again(lambda connection: revisions.brands(connection, period))
        brands = choose(known, self._again(lambda connection: revisions.latest(connection, period)), state)
        if not brands:
            log.info("period=%s brands=%d: nothing is due", period.key, len(known))
        began, size = time.monotonic(), self._settings.report_batch_brands
        for first in range(0, len(brands), size):
            self._batch(period, brands[first : first + size], state)
            done = min(first + size, len(brands))
            seconds = time.monotonic() - began
            log.info(
                "period=%s reports=%d/%d so far=%s seconds=%.1f",
                period.key,
                done,
                len(brands),
                self.tally.counts(),
                seconds,
            )

    def _batch(self, period: Period, brands: Sequence[Brand], state: ReportStatus) -> None:
        """Make some brands' reports at once; one by one if the statement for all of them fails."""
        try:
            self._again(lambda connection: self._make(connection, period, brands, state))
        except (pymysql.Error, PinwheelError) as error:
            if memsql.is_transient(error):
                raise
            if len(brands) == 1:
                self._fail(period, brands[0], error)
                return
            for brand in brands:
                self._batch(period, [brand], state)

    def _make(self, connection: Connection, period: Period, brands: Sequence[Brand], state: ReportStatus) -> None:
        ids = [brand.brand_id for brand in brands]
        read_at = revisions.clock(connection)
        numbers = read(connection, period, ids)
        earlier, newest = revisions.earlier(connection, period, ids)
        for brand in brands:
            try:
                said = settled(state, earlier.get(brand.brand_id))
                report = self._report(
                    brand,
                    period,
                    numbers[brand.brand_id],
                    said,
                    earlier.get(brand.brand_id),
                    newest.get(brand.brand_id, 0) + 1,
                    read_at,
                )
                self._keep(connection, report)
            except Exception as error:
                if memsql.is_transient(error):
                    raise
                self._fail(period, brand, error)

    def _report(
        self,
        brand: Brand,
        period: Period,
        numbers: Numbers,
        state: ReportStatus,
        earlier: Earlier | None,
        revision: int,
        read_at: datetime,
    ) -> Report:
        return Report(
            brand=brand,
            period=period,
            revision=revision,
            made_at=naive(self._now()),
            read_at=read_at,
            numbers=numbers,
            state=state,
            digest=digest(numbers, state),
            earlier=earlier,
            changes=tuple(changes(earlier.flat, numbers.flat())) if earlier else (),
        )

    def _keep(self, connection: Connection, report: Report) -> None:
        """Write and list a report, unless its newest revision has the same content and days of the same time zone."""
        earlier = report.earlier
        is_next = earlier is not None and earlier.revision + 1 == report.revision
        if earlier and is_next and is_unchanged(earlier, report.numbers, report.state):
            self.tally.add(report.period, report.brand, UNCHANGED)
            return
        files = {"report.html": page(report).encode(), **tables(report)}
        self._store.write(report.folder, files)
        revisions.insert(connection, report, mail.wanted(report, self._mails))
        self.tally.add(report.period, report.brand, REVISED if report.earlier else MADE)

    def _fail(self, period: Period, brand: Brand, error: BaseException) -> None:
        trace = error if len(self.tally.failed) < TRACED else None  # e.g. a full disk fails all reports the same way
        log.error("report failed brand=%s period=%s: %s", brand.brand_id, period.key, error, exc_info=trace)
        self.tally.add(period, brand, FAILED)
        self.tally.failed[f"{brand.title} ({brand.brand_id}), {period.key}"] = f"{type(error).__name__}: {error}"

    def _again(self, work: Callable[[Connection], T]) -> T:
        """Do ``work``; retry on a new connection while the server is unavailable."""
        retrying = Retrying(
            retry=retry_if_exception(memsql.is_transient),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=1, max=30),
            sleep=self._wait,
            before_sleep=self._forget_connection,
            reraise=True,
        )
        return retrying(lambda: work(self._connected()))

    def _connected(self) -> Connection:
        if self._connection is None or not self._connection.open:
            self._connection = memsql.connect(self._settings)
        return self._connection

    def _forget_connection(self, state: RetryCallState) -> None:
        log.warning("database unavailable, attempt %d of %d: %s", state.attempt_number, ATTEMPTS, _error_of(state))
        self.close()


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _due(known: Iterable[Brand], latest: dict[int, Row], state: ReportStatus, is_young: bool) -> list[Brand]:
    """Brands whose report is missing, if the period is young, or may differ from its newest revision.

    Includes brands that have a report, but no name and no event any more.
    """
    brands = {brand_id: Brand(brand_id) for brand_id in latest} | {brand.brand_id: brand for brand in known}

    def is_due(brand: Brand) -> bool:
        row = latest.get(brand.brand_id)
        return is_young if row is None else revisions.may_differ(row, state)

    return [brand for _, brand in sorted(brands.items()) if is_due(brand)]


def _chosen(
    known: Iterable[Brand], _latest: dict[int, Row], _state: ReportStatus, brand_ids: Sequence[int], period: Period
) -> list[Brand]:
    """The requested brands, or all."""
    by_id = {brand.brand_id: brand for brand in known}
    unknown = [str(brand_id) for brand_id in brand_ids if brand_id not in by_id]
    if unknown:
        raise AskedError(
            f"unknown brands: {', '.join(unknown)}. They are not in the table brands, and have no event in "
            f"{period.days} days from {period.first_day} or in the same number of days before"
        )
    return [by_id[brand_id] for brand_id in brand_ids] if brand_ids else list(by_id.values())
