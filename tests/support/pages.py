"""The people who look at the pages, and the pages behind a real server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MemsqlSettings, WebSettings, load

if TYPE_CHECKING:
    from plugins.web.bound_users import BoundUsers

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".pinwheel" / "tools" / "web" / "node_modules"
# By role. Carl is bound to brands by the setting, dora by the table.
PEOPLE = {"ann": "admin", "bob": "viewer", "carl": "op", "dora": "op"}
BRAND_USERS = {"carl": [1, 2]}
BOUND_BY_TABLE = {"dora": frozenset({1, 2})}
SECRET = "a secret of these tests, long enough to sign with it: at least 64 bytes"

Login = Callable[[str | None], TestClient]


def bound_users() -> "BoundUsers":
    """Carl and dora, without a database."""
    from plugins.web.bound_users import BoundUsers

    return BoundUsers({name: frozenset(brands) for name, brands in BRAND_USERS.items()}, lambda: BOUND_BY_TABLE)


def app_on(settings: MemsqlSettings, **values: Any) -> FastAPI:
    """The app, asking this database on a connection for each request."""
    from plugins.web.app import create_app
    from plugins.web.database import database

    made = create_app(load(WebSettings, brand_users=BRAND_USERS, memsql_port=1, **values), bound_users())

    def ours() -> Iterator[Connection]:
        with memsql.connect(settings) as opened:
            yield opened

    made.dependency_overrides[database] = ours
    return made


def api_routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of an app, also those of its routers."""
    for route in flat(app.routes):
        assert isinstance(route, APIRoute), f"not behind the app's dependencies: {route}"
        yield route


def flat(found: list[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps an included router as one route; its own are inside."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from flat(inner.routes)


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The app behind a real server, under the prefix that it has in Airflow; yields the address of its pages."""
    outer = FastAPI()
    outer.mount("/pinwheel", app)
    server = uvicorn.Server(uvicorn.Config(outer, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/pinwheel"
    app.state.hub.close()  # as on SIGTERM, which a thread does not get
    server.should_exit = True
    thread.join(10)
