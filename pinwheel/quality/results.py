"""The quality checks' tables in MemSQL: profiles to compare with, and the newest verdicts."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.errors import QualityError
from pinwheel.core.times import aware, naive
from pinwheel.quality.judge import Verdict
from pinwheel.quality.profile import Profile
from pinwheel.quality.usual import PAST


def past(connection: Connection, table: str, hour: datetime) -> list[Profile]:
    """Profiles of the hours in the ``PAST`` before ``hour``, oldest first."""
    params = {"table_name": table, "from_hour": naive(hour - PAST), "to_hour": naive(hour)}
    profiles: dict[datetime, Profile] = {}
    for row in memsql.fetch(connection, "quality/past_profiles", params):
        at = aware(row["occurred_hour"])
        profile = profiles.setdefault(at, Profile(table, at))
        if row["shares"] is None:
            profile.values[row["measure"]] = row["value"]
        else:
            profile.shares[row["measure"]] = json.loads(row["shares"])
    return [profiles[at] for at in sorted(profiles)]


def keep(
    connection: Connection,
    profile: Profile,
    verdicts: Sequence[Verdict],
    samples: Mapping[str, list[dict[str, Any]]],
    now: datetime,
    days: int,
) -> None:
    """Replace an hour's profile and verdicts in one transaction. Idempotent."""
    key = {"table_name": profile.table, "hour": naive(profile.hour)}
    values = [{**key, "measure": name, "value": value, "shares": None} for name, value in profile.values.items()]
    values += [{**key, "measure": c, "value": None, "shares": json.dumps(s)} for c, s in profile.shares.items()]
    results = [_result(v, samples.get(v.measure)) | key | {"checked_at": naive(now)} for v in verdicts]
    with memsql.transaction(connection):
        memsql.execute(connection, "quality/forget_profile", key | {"before_hour": naive(now - 2 * PAST)})
        memsql.execute(connection, "quality/forget_results", key | {"before_hour": naive(now - timedelta(days=days))})
        memsql.execute_many(connection, "quality/insert_profile", values)
        memsql.execute_many(connection, "quality/insert_result", results)


def _result(verdict: Verdict, sample: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {
        "measure": verdict.measure,
        "expectation": verdict.expectation,
        "severity": "critical" if verdict.is_critical else "warning",
        "is_met": int(verdict.is_met),
        "observed": verdict.observed,
        "expected": verdict.expected,
        "sample": json.dumps(sample, default=str, ensure_ascii=False) if sample else None,
    }


def require_rows(connection: Connection, hour: datetime) -> None:
    """Do nothing if the reporting tables have all rows of an hour, and so of all later ones.

    Raises:
        QualityError: retention has taken them away.
    """
    kept_from = memsql.fetch(connection, "quality/kept_from", {"store": "events"})[0]["kept_from"]
    connection.commit()
    if kept_from is not None and hour.date() < kept_from:
        raise QualityError(f"{hour:%Y-%m-%d %H:00} can't be checked: the tables keep rows from {kept_from} on")


def hours(connection: Connection, since: datetime) -> dict[datetime, bool]:
    """Each checked hour, with whether all its tables were checked and met every expectation."""
    met: dict[datetime, set[str]] = {}
    for row in memsql.fetch(connection, "quality/hours", {"from_hour": naive(since)}):
        tables = met.setdefault(aware(row["occurred_hour"]), set())
        if row["is_met"]:
            tables.add(row["table_name"])
    connection.commit()
    return {at: tables >= {*TABLES, ROLLUPS} for at, tables in met.items()}


def unmet(connection: Connection, since: datetime) -> list[Row]:
    """The unmet expectations of hours since ``since``."""
    rows = memsql.fetch(connection, "quality/unmet", {"from_hour": naive(since)})
    connection.commit()
    return rows
