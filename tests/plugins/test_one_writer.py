"""Where Airflow's database is SQLite, requests that write wait for each other, not for SQLite's timeout."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugins.web.one_writer import READS, OneWriter, writes
from tests.support.pages import flat

TIMEOUT = 0.3  # of SQLite, seconds


@pytest.fixture
def airflow_like(tmp_path: Path) -> FastAPI:
    """Logs on the event loop, writes in a thread and commits after the route, as Airflow does."""
    path, at_once = tmp_path / "airflow.db", threading.Barrier(2)
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE log (entry TEXT)")

    def session() -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(path, timeout=TIMEOUT, check_same_thread=False)
        yield connection
        connection.commit()
        connection.close()

    async def log() -> None:
        with sqlite3.connect(path, timeout=TIMEOUT) as connection:
            connection.execute("INSERT INTO log VALUES ('asked')")

    app = FastAPI()

    @app.post("/api/runs")
    def trigger(opened: Annotated[sqlite3.Connection, Depends(session)], _: Annotated[None, Depends(log)]) -> None:
        opened.execute("INSERT INTO log VALUES ('run')")
        try:
            at_once.wait(TIMEOUT / 3)  # lets another request come before the commit
        except threading.BrokenBarrierError:
            at_once.reset()

    return app


async def post_twice(app: ASGIApp) -> list[int]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:

        async def later() -> httpx.Response:
            await asyncio.sleep(TIMEOUT / 10)  # the first one has written
            return await client.post("/api/runs")

        return sorted(answer.status_code for answer in await asyncio.gather(client.post("/api/runs"), later()))


def test_two_who_write_at_once_both_succeed(airflow_like: FastAPI) -> None:
    assert asyncio.run(post_twice(airflow_like)) == [200, 500], "what is mended: one locks the other out"
    assert asyncio.run(post_twice(OneWriter(airflow_like))) == [200, 200]


class Airflow:
    """Keeps which requests it has begun, and ends one at the event of its path."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ends = {path: asyncio.Event() for path in ("/api/a", "/api/b", "/api/c")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.begun.append(f"{scope['method']} {path} {(await receive()).get('body', b'').decode()}".strip())
        if path in self.ends and scope["method"] == "POST":
            await self.ends[path].wait()
        if path == "/api/b":
            raise ValueError(path)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})


class Client:
    """Sends the parts of a request one by one, and reads the answer when it likes."""

    def __init__(self, app: ASGIApp, method: str, path: str) -> None:
        self.parts: asyncio.Queue[Message] = asyncio.Queue()
        self.reads, self.read = asyncio.Event(), list[Message]()
        scope = {"type": "http", "method": method, "path": path}
        self.task = asyncio.create_task(self._ask(app, scope))

    async def _ask(self, app: ASGIApp, scope: Scope) -> None:
        async def send(message: Message) -> None:
            await self.reads.wait()
            self.read.append(message)

        await app(scope, self.parts.get, send)

    def sends(self, body: bytes = b"", *, more: bool = False) -> "Client":
        self.parts.put_nowait({"type": "http.request", "body": body, "more_body": more})
        return self


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_writers_have_their_turns_and_neither_readers_nor_slow_or_failed_requests_hold_one() -> None:
    async def ask() -> None:
        airflow = Airflow()
        app = OneWriter(airflow)
        slow = Client(app, "POST", "/api/a").sends(b"1", more=True)
        first = Client(app, "POST", "/api/b").sends()
        second = Client(app, "POST", "/api/c").sends()
        reader = Client(app, "GET", "/api/b").sends()
        await settle()
        assert airflow.begun == ["POST /api/b", "GET /api/b"], "a request that is not there yet has no turn"
        assert reader.task.done()
        airflow.ends["/api/b"].set()
        await settle()
        assert airflow.begun[2:] == ["POST /api/c"], "its failure ends a turn"
        with pytest.raises(ValueError, match="/api/b"):
            await first.task
        airflow.ends["/api/c"].set()
        slow.sends(b"2")
        await settle()
        assert airflow.begun[3:] == ["POST /api/a 1"], "an answer that nobody reads holds no turn"
        assert second.read == []
        second.reads.set()
        slow.reads.set()
        airflow.ends["/api/a"].set()
        await asyncio.gather(second.task, slow.task)
        assert [message["type"] for message in second.read] == ["http.response.start", "http.response.body"]
        with pytest.raises(ValueError, match="/api/b"):
            await reader.task

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v2/dags/a/dagRuns", True),
        ("PUT", "/execution/task-instances/1/heartbeat", True),
        ("PATCH", "/ui/x", True),
        ("GET", "/api/v2/dags", False),
        ("HEAD", "/api/v2/dags", False),
        ("POST", "/auth/token", False),
        ("POST", "/pinwheel/api/reports/1/send", False),
    ],
)
def test_what_may_write(method: str, path: str, *, expected: bool) -> None:
    assert writes(method, path) is expected


def test_airflow_logs_no_read(airflow_app: FastAPI) -> None:
    def logs(dependant: Dependant) -> bool:
        return any(getattr(d.call, "__name__", "") == "log_action" or logs(d) for d in dependant.dependencies)

    routes = [route for route in flat(airflow_app.routes) if isinstance(route, APIRoute) and logs(route.dependant)]
    assert len(routes) > 30
    assert [route.path for route in routes if route.methods & set(READS)] == []


def test_the_plugin_has_it_only_where_the_database_is_sqlite(
    airflow_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.pinwheel_plugin import PinwheelPlugin

    def is_there() -> bool:
        return OneWriter in [each["middleware"] for each in PinwheelPlugin().fastapi_root_middlewares]

    assert is_there()
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow@db/airflow")
    assert not is_there()
