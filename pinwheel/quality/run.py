"""A run of check_quality: find the hours that are due, check them, publish the pages, raise alerts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pinwheel.alerts.catalogue import QUALITY_FAILED, QUALITY_WARNING, Send
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.errors import AskedError, QualityError
from pinwheel.core.settings import QualitySettings, load
from pinwheel.core.times import HOUR, aware, utc_now
from pinwheel.quality import results
from pinwheel.quality.check import Checker, Outcome
from pinwheel.quality.judge import Judge

MAX_IN_MESSAGE = 5  # failed expectations


def due_hours(connection: Connection, now: datetime, back_hours: int) -> list[datetime]:
    """The last ``back_hours`` full hours that were not checked or did not pass, oldest first."""
    over = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    wanted = [over - HOUR * n for n in range(back_hours, 0, -1)]
    passed = results.hours(connection, wanted[0])
    return [hour for hour in wanted if not passed.get(hour, False)]


def period(start: str, end: str, now: datetime, max_days: int) -> list[datetime]:
    """The hours of a period that a person asked for.

    Raises:
        AskedError: not two times, an empty period, longer than ``max_days``, or not over yet.
    """
    try:
        first, last = (datetime.fromisoformat(text) for text in (start, end))
    except ValueError as error:
        raise AskedError(f"from_hour and to_hour must be times like 2026-03-14T12:00: {error}") from error
    first, last = (at.astimezone(UTC) if at.tzinfo else aware(at) for at in (first, last))
    first, last = (at.replace(minute=0, second=0, microsecond=0) for at in (first, last))
    if not timedelta(0) < last - first <= timedelta(days=max_days):
        raise AskedError(f"{start} to {end} must be at least one hour and at most {max_days} days")
    if last > now:
        raise AskedError(f"to_hour {end} is in the future: it is now {now:%Y-%m-%dT%H:%M} UTC")
    return [first + HOUR * n for n in range(int((last - first) / HOUR))]


def update_alerts(connection: Connection, since: datetime, alert: Send, resolve: Send) -> None:
    """Raise an alert for each table with an unmet hour since ``since``, and resolve the others'.

    Idempotent: a lasting alert that is already open is not sent again.
    """
    rows = results.unmet(connection, since)
    over = f"all checked hours since {since:%Y-%m-%d %H:00} meet their expectations; older hours are not considered"
    for table in (*TABLES, ROLLUPS):
        mine = [row for row in rows if row["table_name"] == table]
        for kind in (QUALITY_FAILED, QUALITY_WARNING):
            failed = [row for row in mine if row["severity"] == kind.severity]
            if failed:
                alert(kind, table, _message(failed))
            else:
                resolve(kind, table, over)


def _message(failed: Sequence[memsql.Row]) -> str:
    lines = [
        f"{row['occurred_hour']:%Y-%m-%d %H:00} {row['measure']}: {row['observed']}; expected {row['expected']}"
        + (f"; for example {row['sample']:.400}" if row["sample"] else "")
        for row in failed[:MAX_IN_MESSAGE]
    ]
    more = [f"and {len(failed) - MAX_IN_MESSAGE} more, see dq_results"] if len(failed) > MAX_IN_MESSAGE else []
    return "\n".join([*lines, *more])


def check(
    settings: QualitySettings,
    asked: tuple[str, str] | None,
    now: Callable[[], datetime],
    alert: Send,
    resolve: Send,
) -> list[Outcome]:
    """Check the hours that are due, or the period (from, to) that was ``asked`` for, and raise alerts.

    Raises:
        AskedError: an invalid period.
        MemsqlError: the database is unavailable; no hour is stored in part.
    """
    with memsql.connect(settings) as connection:
        if asked:
            hours = period(*asked, now(), settings.quality_keep_days)
            results.require_rows(connection, hours[0])
        else:
            hours = due_hours(connection, now(), settings.quality_back_hours)
        judge = Judge(settings.quality_dir)
        outcomes = Checker(settings, connection, judge).hours(hours, now)
        judge.publish(settings.quality_docs_days, settings.web_modules_dir)
        update_alerts(connection, now() - HOUR * (settings.quality_back_hours + 1), alert, resolve)
    return outcomes


def run(from_hour: str | None, to_hour: str | None) -> dict[str, dict[str, int]]:
    """Check with settings from the environment; table -> numbers of hours and of unmet expectations by severity.

    Raises:
        AskedError: only one of the two hours is given; otherwise as ``check``.
    """
    if bool(from_hour) != bool(to_hour):
        raise AskedError(f"give both from_hour and to_hour, or neither; got {from_hour!r} and {to_hour!r}")
    asked = (from_hour, to_hour) if from_hour and to_hour else None
    outcomes = check(load(QualitySettings), asked, utc_now, raise_alert, resolve_alert)
    return {table: _summary([o for o in outcomes if o.table == table]) for table in (*TABLES, ROLLUPS)}


def _summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    unmet = [v for o in outcomes for v in o.unmet]
    critical = sum(v.is_critical for v in unmet)
    return {"hours": len(outcomes), "critical": critical, "warning": len(unmet) - critical}


def require_none(critical: Mapping[str, int]) -> None:
    """Do nothing if no table has unmet critical expectations.

    Raises:
        QualityError: names the tables that have some.
    """
    failed = [f"{table} {count}" for table, count in critical.items() if count]
    if failed:
        raise QualityError(f"unmet critical expectations: {', '.join(failed)}; see dq_results and Data Docs")
