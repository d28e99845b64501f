"""The app behind the pages."""

import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

from fastapi import Depends, FastAPI

from pinwheel.core.settings import WebSettings, load
from plugins.web import (
    bound_users,
    brand,
    errors,
    explore,
    files,
    health,
    live,
    pages,
    pin,
    quality,
    reports,
    trends,
    users,
)
from plugins.web.access import GUARDS, sees_something
from plugins.web.bound_users import BoundUsers
from plugins.web.database import Pool
from plugins.web.headers import SecurityHeaders
from plugins.web.live_hub import Hub

DATA = (
    *(live.router, trends.router, brand.router, pin.router, health.router, quality.router, reports.router),
    *(explore.router, users.router),
)
SHELL = (files.router, pages.router)  # pages.router comes last: its route matches every path of one segment


def create_app(settings: WebSettings | None = None, bound: BoundUsers | None = None) -> FastAPI:
    """The app. Every route requires a login to Airflow, and every route of data something that the viewer may see.

    FastAPI's own documentation routes are off: the guards do not cover them.
    """
    app = FastAPI(
        title="Pinwheel",
        description="The API behind Pinwheel's pages in Airflow. Sign in as for Airflow's own API.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        dependencies=GUARDS,
        responses=errors.RESPONSES,
    )
    app.state.settings = settings or load(WebSettings)
    app.state.bound_users = bound or bound_users.of_database(app.state.settings)
    app.state.pool = Pool(app.state.settings)
    app.state.hub = Hub(app.state.settings)
    app.state.slots = explore.slots(app.state.settings)
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    for router in DATA:
        app.include_router(router, dependencies=[Depends(sees_something)])
    for router in SHELL:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End the open streams on SIGTERM: the server would wait minutes for them before it ends this lifespan."""
    hub: Hub = app.state.hub
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        hub.close()
        if callable(before):
            before(number, frame)

    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        signal.signal(signal.SIGTERM, stop)
    yield
    hub.close()
    if is_main:
        signal.signal(signal.SIGTERM, before)
