"""What a run of check_quality does: which hours are due, check them, publish, tell people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pinwheel.alerts.catalogue import QUALITY_FAILED, QUALITY_WARNING, Send
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.errors import PinwheelError, QualityError
from pinwheel.core.settings import QualitySettings, load
from pinwheel.core.times import HOUR, aware
from pinwheel.quality import results
from pinwheel.quality.check import Checker, Outcome
from pinwheel.quality.judge import Judge

TOLD = 5  # failed expectations in a message


def due_hours(connection: Connection, now: datetime, back_hours: int) -> list[datetime]:
    """Hours to check: those of the last so many that are over and were not checked, or did not pass; oldest first."""
    over = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    wanted = [over - HOUR * n for n in range(back_hours, 0, -1)]
    passed = results.hours(connection, wanted[0])
    return [hour for hour in wanted if not passed.get(hour, False)]


def period(start: str, end: str, now: datetime, max_days: int) -> list[datetime]:
    """The hours of a period that somebody asked for.

    Raises:
        PinwheelError: not two times, nothing between them, longer than ``max_days``, or not over yet.
    """
    try:
        first, last = (datetime.fromisoformat(text).replace(minute=0, second=0, microsecond=0) for text in (start, end))
    except ValueError as error:
        raise PinwheelError(f"from_hour and to_hour must be times as in 2026-03-14T12:00: {error}") from error
    first, last = (at if at.tzinfo else aware(at) for at in (first, last))
    if not timedelta(0) < last - first <= timedelta(days=max_days):
        raise PinwheelError(f"{start} to {end} must be one hour at least and {max_days} days at most")
    if last > now:
        raise PinwheelError(f"to_hour {end} is not over yet: it is {now:%Y-%m-%dT%H:%M} UTC")
    return [first.astimezone(UTC) + HOUR * n for n in range(int((last - first) / HOUR))]


def tell(connection: Connection, since: datetime, page: str, alert: Send, resolve: Send) -> None:
    """Alert on the tables of which an hour since then failed, and resolve the others. Twice tells nobody twice."""
    rows = results.unmet(connection, since)
    over = f"what was checked of the hours since {since:%Y-%m-%d %H:00} meets its expectations; older ones are let be"
    for table in (*TABLES, ROLLUPS):
        mine = [row for row in rows if row["table_name"] == table]
        for kind in (QUALITY_FAILED, QUALITY_WARNING):
            failed = [row for row in mine if row["severity"] == kind.severity]
            if failed:
                alert(kind, table, _message(failed, page))
            else:
                resolve(kind, table, over)


def _message(failed: Sequence[memsql.Row], page: str) -> str:
    lines = [
        f"{row['occurred_hour']:%Y-%m-%d %H:00} {row['measure']}: {row['observed']}; expected {row['expected']}"
        + (f"; for example {row['sample']:.400}" if row["sample"] else "")
        for row in failed[:TOLD]
    ]
    more = [f"and {len(failed) - TOLD} more, see dq_results"] if len(failed) > TOLD else []
    return "\n".join([*lines, *more, f"Data Docs: {page}"])


def check(
    settings: QualitySettings,
    asked: tuple[str, str] | None,
    now: Callable[[], datetime],
    alert: Send,
    resolve: Send,
) -> list[Outcome]:
    """Check what is due, or the period that was ``asked`` for (from, to), and tell people.

    Raises:
        PinwheelError: a period that can't be, or a database that is away; nothing half is kept.
    """
    with memsql.connect(settings) as connection:
        if asked:
            hours = period(*asked, now(), settings.quality_keep_days)
        else:
            hours = due_hours(connection, now(), settings.quality_back_hours)
        judge = Judge(settings.quality_dir)
        found = Checker(settings, connection, judge).hours(hours, now)
        page = judge.publish(settings.quality_docs_days, settings.web_modules_dir)
        tell(connection, now() - HOUR * (settings.quality_back_hours + 1), str(page), alert, resolve)
    return found


def run(from_hour: str | None, to_hour: str | None) -> dict[str, dict[str, int]]:
    """A check with settings from the environment; table -> how many hours, and what they did not meet.

    Raises:
        PinwheelError: only one of the two hours is given; else as ``check``.
    """
    if bool(from_hour) != bool(to_hour):
        raise PinwheelError(f"give both from_hour and to_hour, or neither; they are {from_hour!r} and {to_hour!r}")
    asked = (from_hour, to_hour) if from_hour and to_hour else None
    found = check(load(QualitySettings), asked, lambda: datetime.now(UTC), raise_alert, resolve_alert)
    return {table: _summary([o for o in found if o.table == table]) for table in (*TABLES, ROLLUPS)}


def _summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    unmet = [v for o in outcomes for v in o.unmet]
    critical = sum(v.is_critical for v in unmet)
    return {"hours": len(outcomes), "critical": critical, "warning": len(unmet) - critical}


def require_none(critical: Mapping[str, int]) -> None:
    """Nothing, where no table has unmet critical expectations.

    Raises:
        QualityError: says which have.
    """
    failed = [f"{table} {count}" for table, count in critical.items() if count]
    if failed:
        raise QualityError(
            f"critical expectations that were not met: {', '.join(failed)}; see dq_results and Data Docs"
        )
