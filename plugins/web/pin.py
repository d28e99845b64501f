"""The API of a pin's page: what it is, and its repins and comments over time, by country, board and person."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

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
    if not exists or not Scope(viewer.brands).sees(known["brand_id"] if known else None):
        raise HTTPException(404, f"There is no pin {pin_id} that you may see.")
    return _pin(connection, pin_id, known or {}, totals, naive(now))


def _pin(connection: Connection, pin_id: int, known: Row, totals: Row, now: datetime) -> Pin:
    (state,) = fetch(connection, "pages/trends_state")
    to = datetime.combine(now + DAY, time())  # whole days: the chart names where each begins
    period = {"pin_id": pin_id, "from_time": to - SHOWN, "to_time": to}
    hours = fetch(connection, "pages/pin_hours", period)
    texts = {name: known.get(name) for name in ("title", "description", "category", "link", "image_url", "brand_name")}
    return Pin(
        **texts,
        pin_id=str(pin_id),
        created_at=aware(known.get("created_at")),
        brand_id=known.get("brand_id"),
        repins=totals["repins"],
        comments=totals["comments"],
        first_hour=aware(totals["first_hour"]),
        complete_through=aware(totals["complete_through"]),
        shown_from=(to - SHOWN).replace(tzinfo=UTC),
        shown_to=to.replace(tzinfo=UTC),
        hours=[PinHour(**row | {"hour": aware(row["hour"])}) for row in reversed(hours)],
        saves=_saves(connection, pin_id, hours, totals["kept_from"], to - SHOWN),
        trend=_trend(connection, pin_id, state),
        learning_until=trends.learning_until(state),
    )


def _saves(
    connection: Connection, pin_id: int, hours: Sequence[Row], kept_from: date | None, shown_from: datetime
) -> Saves:
    looked_up = newest(hours, kept_from)
    is_all = len(looked_up) == len(hours)
    since = shown_from if is_all or not looked_up else looked_up[-1]
    if not looked_up:
        none = 0 if is_all else None
        return Saves(since=since.replace(tzinfo=UTC), is_all=is_all, boards=none, people=none, countries=[])
    asked = {"pin_id": pin_id, "hours": looked_up}
    (saved,) = fetch(connection, "pages/pin_saves", asked)
    countries = [Country(**row) for row in fetch(connection, "pages/pin_countries", asked)[:TOP]]
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


def _trend(connection: Connection, pin_id: int, state: Row) -> Trend | None:
    rows = fetch(connection, "pages/pin_trend", {"item": str(pin_id)})
    return next(iter(trends.told(connection, trends.Kind.PIN, rows, state)), None)
