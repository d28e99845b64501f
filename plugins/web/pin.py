"""The API of a pin's page: what it is, and its repins and comments over time, by country, board and person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel

from pinwheel.clients.memsql import Connection, Row, fetch
from pinwheel.core.times import aware, naive
from plugins.web import trends
from plugins.web.access import Scope, ViewerDep
from plugins.web.brand import LARGEST_ID, Country, NowDep
from plugins.web.database import DatabaseDep
from plugins.web.trends import Trend

router = APIRouter(prefix="/api/pins", tags=["pins"])

DAY = timedelta(days=1)
SHOWN = 7 * DAY
MOST_ROWS = 10_000  # of a pin that are looked up: each costs the database some microseconds
TOP = 10


class PinHour(BaseModel):
    """A pin's events of an hour."""

    hour: datetime
    repins: int
    comments: int


class Saves(BaseModel):
    """Of the repins since ``since``: different boards and people; and where people engaged from.

    ``is_all``: of all ``hours``; otherwise the pin has more events than are looked up, or older rows are not kept.
    ``boards``, ``people``: null if that is so for the newest hour, too.
    """

    since: datetime
    is_all: bool
    boards: int | None
    people: int | None
    countries: list[Country]


class Pin(BaseModel):
    """A pin. Its texts are the newest version's; null: not known. ``pin_id``: as text, it may be above 2^53.

    A pin may change its brand: people who see only some brands get the numbers of its events while it was of these, and
    ``repins`` and ``comments`` are the sums of ``hours`` then.

    ``repins``, ``comments``: since ``first_hour``, null if there are none. ``hours``: those with events from
    ``shown_from`` to ``shown_to``, seven days, oldest first. ``trend``: null unless its repins rise now;
    ``learning_until``: as for all trends.
    """

    pin_id: str
    title: str | None
    description: str | None
    category: str | None
    link: str | None
    image_url: str | None
    created_at: datetime | None
    brand_id: int | None
    brand_name: str | None
    repins: int
    comments: int
    first_hour: datetime | None
    complete_through: datetime | None
    shown_from: datetime
    shown_to: datetime
    hours: list[PinHour]
    saves: Saves
    trend: Trend | None
    learning_until: datetime | None


@router.get("/{pin_id}")
def pin(
    pin_id: Annotated[int, Path(ge=0, le=LARGEST_ID)], viewer: ViewerDep, connection: DatabaseDep, now: NowDep
) -> Pin:
    """A pin of a brand that the viewer may see. Any other gets the same 404 as one that does not exist."""
    known = next(iter(fetch(connection, "pages/pins", {"pin_ids": [pin_id]})), None)
    (totals,) = fetch(connection, "pages/pin_totals", {"pin_id": pin_id})
    exists = known is not None or totals["first_hour"] is not None
    scope = Scope(viewer.brands)
    if not exists or not scope.sees(known["brand_id"] if known else None):
        raise HTTPException(404, f"There is no pin {pin_id} that you may see.")
    return _pin(Asked(connection, pin_id, scope), known or {}, totals, naive(now))


@dataclass(frozen=True)
class Asked:
    """A pin, and the brands whose numbers of it the viewer may see."""

    connection: Connection
    pin_id: int
    scope: Scope

    def of(self, name: str, **params: Any) -> list[Row]:
        """Rows of a statement, or of its variant for some brands, which counts by the brand that each event has."""
        variant = f"pages/{name}" if self.scope.brands is None else f"pages/{name}_of_brands"
        return fetch(self.connection, variant, params | {"pin_id": self.pin_id} | self.scope.sql())


def _pin(asked: Asked, known: Row, totals: Row, now: datetime) -> Pin:
    (state,) = fetch(asked.connection, "pages/trends_state")
    to = datetime.combine(now + DAY, time())  # whole days: the chart names where each begins
    period = {"pin_id": asked.pin_id, "from_time": to - SHOWN, "to_time": to}
    hours = fetch(asked.connection, "pages/pin_hours", period)
    if asked.scope.brands is not None:
        hours = asked.of("pin_hours", hours=[row["hour"] for row in hours]) if hours else []
        totals = totals | _sums(hours)
    texts = {name: known.get(name) for name in ("title", "description", "category", "link", "image_url", "brand_name")}
    return Pin(
        **texts,
        pin_id=str(asked.pin_id),
        created_at=aware(known.get("created_at")),
        brand_id=known.get("brand_id"),
        repins=totals["repins"],
        comments=totals["comments"],
        first_hour=aware(totals["first_hour"]),
        complete_through=aware(totals["complete_through"]),
        shown_from=(to - SHOWN).replace(tzinfo=UTC),
        shown_to=to.replace(tzinfo=UTC),
        hours=[PinHour(**row | {"hour": aware(row["hour"])}) for row in reversed(hours)],
        saves=_saves(asked, hours, totals["kept_from"], to - SHOWN),
        trend=_trend(asked, state),
        learning_until=trends.learning_until(state),
    )


def _sums(hours: Sequence[Row]) -> Row:
    """Totals of these hours, newest first."""
    counts = {name: sum(hour[name] for hour in hours) for name in ("repins", "comments")}
    return {**counts, "first_hour": hours[-1]["hour"] if hours else None}


def _saves(asked: Asked, hours: Sequence[Row], kept_from: date | None, shown_from: datetime) -> Saves:
    looked_up = newest(hours, kept_from)
    is_all = len(looked_up) == len(hours)
    since = shown_from if is_all or not looked_up else looked_up[-1]
    if not looked_up:
        none = 0 if is_all else None
        return Saves(since=since.replace(tzinfo=UTC), is_all=is_all, boards=none, people=none, countries=[])
    params = {"pin_id": asked.pin_id, "hours": looked_up} | asked.scope.sql()
    (saved,) = fetch(asked.connection, "pages/pin_saves", params)
    countries = [Country(**row) for row in asked.of("pin_countries", hours=looked_up)[:TOP]]
    return Saves(since=since.replace(tzinfo=UTC), is_all=is_all, countries=countries, **saved)


def newest(hours: Sequence[Row], kept_from: date | None) -> list[datetime]:
    """The newest of these hours, newest first, that have rows, and not more of them than are looked up."""
    found: list[datetime] = []
    rows = 0
    first = datetime.combine(kept_from, time()) if kept_from else datetime.min
    for row in hours:
        rows += row["repins"] + row["comments"]
        if row["hour"] < first or rows > MOST_ROWS:
            break
        found.append(row["hour"])
    return found


def _trend(asked: Asked, state: Row) -> Trend | None:
    rows = fetch(asked.connection, "pages/pin_trend", {"item": str(asked.pin_id)})
    own = trends.own(asked.connection, asked.scope, rows)
    return next(iter(trends.told(asked.connection, trends.Kind.PIN, own, state)), None)
