"""The live globe: server-sent events about the events that land in the lake."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from pinwheel.clients.memsql import fetch
from pinwheel.core.contract import EVENT_TYPES
from pinwheel.core.times import aware, naive
from plugins.web.access import Scope, ScopeDep, SettingsDep, ViewerDep
from plugins.web.database import DatabaseDep
from plugins.web.live_hub import FullError, Hub, Message, Seat
from plugins.web.live_lens import Lens, LiveUpdate
from plugins.web.trends import MINUTE, minutes_before

router = APIRouter(prefix="/api/live", tags=["live"])

HEARTBEAT_SECONDS = 5.0  # sends the server's clock, and shows that the stream is alive
RETRY_MILLISECONDS = 1000  # until a browser reconnects after the stream ended
BARS = 30  # minutes
CATEGORIES_OF = timedelta(days=7)

TypesQuery = Annotated[str, Query(description="Event types to show, separated by commas")]
CategoryQuery = Annotated[str | None, Query(description="Only pins of this category", max_length=64)]
AfterQuery = Annotated[int | None, Query(description="Newest version seen; newer ones are sent first", ge=0)]
LastEventId = Annotated[str | None, Header(description="As ``after``; browsers send it when they reconnect")]


class Choice(BaseModel):
    """A brand of the filter. ``name``: null if it has none."""

    brand_id: int
    name: str | None


class Choices(BaseModel):
    """The filters' options."""

    brands: list[Choice]
    categories: list[str]


class Watchers(BaseModel):
    """The globe's viewers now, and the maximum."""

    viewers: int
    max_viewers: int


class Minutes(BaseModel):
    """Repins of each of the last 30 whole minutes, oldest first; null before counting began.

    ``first``: start of the first minute; null if nothing is counted. ``is_counted``: false for a brand's category.
    """

    first: datetime | None
    repins: list[int | None]
    is_counted: bool


def hub_of(request: Request) -> Hub:
    """The app's hub."""
    return cast(Hub, request.app.state.hub)


HubDep = Annotated[Hub, Depends(hub_of)]


def lens(scope: ScopeDep, settings: SettingsDep, types: TypesQuery = "repin", category: CategoryQuery = None) -> Lens:
    """The requested lens, limited to the brands that the viewer may see."""
    wanted = frozenset(name for name in types.split(",") if name)
    unknown = wanted - set(EVENT_TYPES)
    if unknown:
        raise HTTPException(422, f"types: {min(unknown)[:40]!r} is none of {', '.join(EVENT_TYPES)}")
    return Lens(wanted, scope.brands, category or None, settings.live_max_points)


async def seat(
    hub: HubDep,
    lens: Annotated[Lens, Depends(lens)],
    after: AfterQuery = None,
    last_event_id: LastEventId = None,
) -> AsyncIterator[Seat]:
    """A viewer's seat; it is given back however the stream ends."""
    seen = int(last_event_id) if last_event_id and last_event_id.isdigit() else after
    try:
        taken = await run_in_threadpool(hub.join, lens, seen, asyncio.get_running_loop())
    except FullError as full:
        raise HTTPException(503, str(full), {"Retry-After": "10"}) from None
    try:
        yield taken
    finally:
        hub.leave(taken)


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses={200: {"model": LiveUpdate, "description": "The data of an `update`; see the description"}},
)
async def events(seat: Annotated[Seat, Depends(seat)], settings: SettingsDep) -> AsyncIterator[ServerSentEvent]:
    """Events as they land.

    Event types of the stream: ``update`` (a LiveUpdate; its id is the lake's version), ``past`` (the same, replayed
    from the last minute), ``state`` (the lake's state and the server's clock), ``dropped`` (updates lost because the
    client is slow).
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + settings.live_stream_seconds
    yield _event("state", {"state": "starting", "now": _now()}, retry=RETRY_MILLISECONDS)
    while (left := ends_at - loop.time()) > 0:
        state, dropped, messages, closed = await seat.take(min(left, HEARTBEAT_SECONDS))
        if dropped:
            yield _event("dropped", {"updates": dropped})
        for message in messages:
            yield _update(message)
        if state or not messages:
            yield _event("state", {"state": state, "now": _now()})
        if closed:
            return


def _event(name: str, data: dict[str, Any], retry: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=data, retry=retry)


def _update(message: Message) -> ServerSentEvent:
    name = "past" if message.past else "update"
    return ServerSentEvent(event=name, raw_data=message.text, id=str(message.version))


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


@router.get("/choices")
def choices(scope: ScopeDep, connection: DatabaseDep) -> Choices:
    """Brands and categories for the filters: to a viewer bound to brands, those of these brands' own pins."""
    since = {"from_time": naive(datetime.now(UTC) - CATEGORIES_OF)}
    brands = fetch(connection, "pages/brand_choices", scope.sql())
    if scope.brands is None:
        categories = fetch(connection, "pages/category_choices", since)
    else:
        categories = fetch(connection, "pages/category_choices_of_brands", since | scope.sql())
    return Choices(brands=[Choice(**row) for row in brands], categories=[row["category"] for row in categories])


@router.get("/minutes")
def minutes(scope: ScopeDep, connection: DatabaseDep, category: CategoryQuery = None) -> Minutes:
    """The last half hour up to the newest counted repin: of all, of brands, or of a category."""
    if category and scope.brands is not None:
        return Minutes(first=None, repins=[], is_counted=False)
    (state,) = fetch(connection, "pages/trends_state")
    if state["as_of"] is None:
        return Minutes(first=None, repins=[], is_counted=True)
    first = state["as_of"].replace(second=0, microsecond=0) - BARS * MINUTE
    asked = {**_counted(scope, category), "from_time": first, "to_time": first + BARS * MINUTE}
    counts = {row["minute"]: int(row["repins"]) for row in fetch(connection, "pages/live_minutes", asked)}
    repins = minutes_before(counts, state["as_of"], state["counted_from"], BARS)
    return Minutes(first=aware(first), repins=repins, is_counted=True)


def _counted(scope: Scope, category: str | None) -> dict[str, Any]:
    """The key of ``repin_minutes``: a category is counted over all brands, so only who sees all may ask for one."""
    if scope.brands is not None:
        return {"kind": "brand", "items": tuple(str(brand) for brand in sorted(scope.brands)) or ("",)}
    return {"kind": "category", "items": (category,)} if category else {"kind": "all", "items": ("",)}


@router.get("/watchers")
def watchers(viewer: ViewerDep, hub: HubDep, settings: SettingsDep) -> Watchers:
    """The number of viewers: a page asks for it because browsers do not expose why a stream was refused."""
    return Watchers(viewers=hub.viewers, max_viewers=settings.live_max_viewers)
