"""The trends page's API."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.days import whole_hour
from pinwheel.core.times import HOUR, aware
from plugins.web.access import Scope, ScopeDep
from plugins.web.database import DatabaseDep

router = APIRouter(prefix="/api/trends", tags=["trends"])

TOP = 10  # of each kind
SPARK_MINUTES = 60
MINUTE = timedelta(minutes=1)
COMPARED = timedelta(minutes=90)  # of repins: what is usual weighs no older ones
LEARNT_AFTER = timedelta(hours=1)  # of counting: what came before then weighs little in what is usual
SURE = ((-15, "beyond_doubt"), (-9, "very_sure"))  # chance_log10 at most -> confidence; above both: sure


class Kind(StrEnum):
    """The kinds of items that can trend."""

    PIN = "pin"
    CATEGORY = "category"
    BRAND = "brand"
    COUNTRY = "country"


class Confidence(StrEnum):
    """The probability that the rise is chance: at most one in 10^6, in 10^9, in 10^15."""

    SURE = "sure"
    VERY_SURE = "very_sure"
    BEYOND_DOUBT = "beyond_doubt"


class Trend(BaseModel):
    """An item whose repins are rising.

    ``name``: null for an unknown pin. ``times_usual``: null if there were no repins before. ``minutes``: repins of
    each whole minute of the last hour, oldest first; null for minutes before counting began.
    """

    item: str
    name: str | None
    brand_id: int | None
    since: datetime
    repins: int
    per_minute: float
    usual_per_minute: float
    times_usual: float | None
    chance_log10: float
    confidence: Confidence
    minutes: list[int | None]


class Trends(BaseModel):
    """The trends of each kind, least likely to be chance first.

    ``counted_from``, ``as_of``: repins are counted from then to then; null if none are. ``learning_until``: there is
    too little past until then to know what is usual; null: it is known. ``only_brands``: the viewer sees only trends of
    their brands.
    """

    as_of: datetime | None
    counted_from: datetime | None
    learning_until: datetime | None
    only_brands: bool
    pins: list[Trend]
    categories: list[Trend]
    brands: list[Trend]
    countries: list[Trend]


@router.get("")
def now(scope: ScopeDep, connection: DatabaseDep) -> Trends:
    """Items that rise now compared with their own recent past, about a minute behind."""
    return rising(connection, scope, scope)


def rising(connection: Connection, scope: Scope, viewer: Scope) -> Trends:
    """The items of some brands that rise, as a viewer may see them."""
    (state,) = memsql.fetch(connection, "pages/trends_state")
    trends: dict[str, list[Trend]] = defaultdict(list)
    rows = own(connection, viewer, memsql.fetch(connection, "questions/trends", {**scope.sql(), "top": TOP}))
    for kind in Kind:
        trends[kind] = told(connection, kind, [r for r in rows if r["kind"] == kind], state)
    return Trends(
        as_of=aware(state["as_of"]),
        counted_from=aware(state["counted_from"]),
        learning_until=learning_until(state),
        only_brands=scope.brands is not None,
        pins=trends[Kind.PIN],
        categories=trends[Kind.CATEGORY],
        brands=trends[Kind.BRAND],
        countries=trends[Kind.COUNTRY],
    )


def own(connection: Connection, viewer: Scope, rows: Sequence[Row]) -> list[Row]:
    """Trends without pins that had repins of brands that the viewer may not see: a pin may change its brand."""
    pins = [int(row["item"]) for row in rows if row["kind"] == Kind.PIN]
    if viewer.brands is None or not pins:
        return list(rows)
    as_of = rows[0]["as_of_utc"]
    hours = [whole_hour(as_of) - n * HOUR for n in range(-(-COMPARED // HOUR) + 1)]
    found = memsql.fetch(connection, "pages/pins_of_others", {**viewer.sql(), "pin_ids": pins, "hours": hours})
    others = {str(row["pin_id"]) for row in found}
    return [row for row in rows if row["kind"] != Kind.PIN or row["item"] not in others]


def learning_until(state: Row) -> datetime | None:
    """When there is enough past to know what is usual; None once there is."""
    begun, as_of = state["steady_from"], state["as_of"]
    return aware(begun + LEARNT_AFTER) if begun is not None and as_of < begun + LEARNT_AFTER else None


def told(connection: Connection, kind: Kind, rows: Sequence[Row], state: Row) -> list[Trend]:
    """Rows of trends of one kind, with the minutes of the last hour."""
    if not rows:
        return []
    asked = {"kind": kind.value, "items": [row["item"] for row in rows], "as_of": rows[0]["as_of_utc"]}
    counts: dict[str, dict[datetime, int]] = defaultdict(dict)
    for row in memsql.fetch(connection, "questions/trend_minutes", asked):
        counts[row["item"]][row["minute"]] = int(row["repins"])
    counted_from = state["counted_from"]
    return [
        _trend(row, minutes_before(counts[row["item"]], row["as_of_utc"], counted_from, SPARK_MINUTES)) for row in rows
    ]


def minutes_before(
    counts: dict[datetime, int], as_of: datetime, counted_from: datetime | None, n: int
) -> list[int | None]:
    """The ``n`` whole minutes before ``as_of``, oldest first; null before counting began."""
    end = as_of.replace(second=0, microsecond=0)
    minutes = [end - MINUTE * back for back in range(n, 0, -1)]
    return [counts.get(at, 0) if counted_from is not None and at >= counted_from else None for at in minutes]


def _trend(row: Row, minutes: list[int | None]) -> Trend:
    sure = next((name for limit, name in SURE if row["chance_log10"] <= limit), Confidence.SURE)
    known = {name: row[name] for name in Trend.model_fields if name in row}
    return Trend(**known, since=aware(row["since_utc"]), confidence=Confidence(sure), minutes=minutes)
