"""People who are bound to brands get nothing of Airflow itself: each of its routes is asked, with their login."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from pinwheel.core.errors import MemsqlError
from plugins.web.bound import OTHERS, TASKS, PagesOnly
from plugins.web.bound_users import BoundUsers
from tests.support.pages import BOUND_BY_TABLE, BRAND_USERS, bound_users, flat

METHODS = ("get", "post", "put", "patch", "delete")
OURS = "bound to some brands"


@pytest.fixture(scope="module")
def asked(airflow_app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path of Airflow's: of its API's description, of the tasks' API, and those of no description."""
    found = set(described(airflow_app.openapi(), ""))
    for route in airflow_app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI) and route.path not in ("/pinwheel", "/auth"):
            inner = route.app
            found |= {(m, route.path + filled(r.path)) for r in inner.routes if isinstance(r, Route) for m in METHODS}
            found |= set(described(inner.openapi(), route.path))
        elif isinstance(route, Route):
            found |= {(method.lower(), filled(route.path)) for method in route.methods or ()}
    return sorted(found)


def described(document: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        yield from ((method, prefix + filled(path)) for method in METHODS if method in methods)


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "1", path)


def client(app: FastAPI, token: str | None, *, cookie: bool = False) -> TestClient:
    made = TestClient(
        app, raise_server_exceptions=isinstance(app, PagesOnly), follow_redirects=False, base_url="http://127.0.0.1"
    )
    if token and cookie:
        made.cookies.set("_token", token)
    elif token:
        made.headers["Authorization"] = f"Bearer {token}"
    return made


def test_there_is_something_to_ask_for(asked: list[tuple[str, str]]) -> None:
    assert len(asked) > 150
    paths = {path for _, path in asked}
    assert {"/api/v2/dags/1/dagRuns/1/taskInstances/1/logs/1", "/api/v2/dagSources/1", "/ui/config"} <= paths
    assert "/api/v2/dags/1/dagRuns/1/taskInstances/1/xcomEntries/1" in paths
    assert any(path.startswith(TASKS) for path in paths)


@pytest.mark.parametrize(("name", "cookie"), [("carl", False), ("carl", True), ("dora", True)])
def test_every_route_of_airflow_refuses_a_bound_person(
    airflow_app: FastAPI, asked: list[tuple[str, str]], tokens: dict[str, str], name: str, cookie: bool
) -> None:
    carl = client(airflow_app, tokens[name], cookie=cookie)
    let_in = []
    for method, path in asked:
        if path.startswith(TASKS):
            continue
        answer = carl.request(method, path)
        if path not in OTHERS and not (answer.status_code == 403 and (OURS in answer.text or method == "head")):
            let_in.append(f"{method} {path}: {answer.status_code}")
    assert let_in == []


def test_a_person_s_token_opens_nothing_of_the_tasks_api(airflow_app: FastAPI, tokens: dict[str, str]) -> None:
    """The guard lets these pass: Airflow itself refuses them, or would answer anybody."""
    opened = []
    with client(airflow_app, None) as anybody:
        anybody.get(f"{TASKS}health/ping")
        calls = list(tasks_routes(airflow_app))
        for method, path in calls:
            answer = anybody.request(method, path, headers={"Authorization": f"Bearer {tokens['carl']}"})
            if answer.status_code != 403 and answer.status_code != anybody.request(method, path).status_code:
                opened.append(f"{method} {path}: {answer.status_code}")
    assert opened == []
    assert len(calls) > 30
    assert "/execution/variables/1" in {path for _, path in calls}


def tasks_routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Of the newest version of the tasks' API; they are made at the first request."""
    (mount,) = [route for route in app.routes if isinstance(route, Mount) and route.path == TASKS.rstrip("/")]
    versions: dict[str, APIRouter] = mount.app.router.versioned_routers  # type: ignore[attr-defined]  # Cadwyn's
    for route in flat(versions[max(versions)].routes):
        if isinstance(route, Route):
            yield from ((method, TASKS.rstrip("/") + filled(route.path)) for method in sorted(route.methods or ()))


def test_what_anybody_may_ask_for_is_short_and_says_nothing(asked: list[tuple[str, str]]) -> None:
    """Airflow answers these without a login, too."""
    assert {path for _, path in asked} & set(OTHERS) == set(OTHERS)
    assert len(OTHERS) == 4


def test_a_bound_person_s_browser_is_led_to_our_pages(airflow_app: FastAPI, tokens: dict[str, str]) -> None:
    carl = client(airflow_app, tokens["carl"], cookie=True)
    for path in ("/", "/dags", "/api/v2/dags", "/plugin/pinwheel-live", "/pinwheel", "/docs"):
        answer = carl.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/pinwheel/live"), path
    assert carl.get("/pinwheel/live").status_code == 200
    assert carl.get("/pinwheel/api/me").json()["brands"] == BRAND_USERS["carl"]
    dora = client(airflow_app, tokens["dora"], cookie=True)
    assert dora.get("/pinwheel/api/me").json()["brands"] == sorted(BOUND_BY_TABLE["dora"])
    assert carl.post("/", headers={"Accept": "text/html"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/PINWHEEL/live", "/pinwheelx/", "//api/v2/dags", "/static", "/Auth/token", "/api/v2/version/"]
)
def test_a_path_that_looks_like_an_open_one_is_not(airflow_app: FastAPI, tokens: dict[str, str], path: str) -> None:
    assert client(airflow_app, tokens["carl"]).get(path).status_code == 403


def test_whoever_is_not_bound_is_not_refused(
    airflow_app: FastAPI, asked: list[tuple[str, str]], tokens: dict[str, str]
) -> None:
    """Only a sample: there is no database behind them."""
    for token in (None, tokens["bob"], tokens["ann"], "nonsense"):
        other = client(airflow_app, token)
        answers = [
            other.get(path) for path in ("/", "/ui/config", "/ui/auth/menus", "/api/v2/version", "/api/v2/plugins")
        ]
        assert [answer.url.path for answer in answers if OURS in answer.text or answer.status_code == 303] == []


def test_a_bound_person_s_token_counts_wherever_it_is(airflow_app: FastAPI, tokens: dict[str, str]) -> None:
    both = client(airflow_app, tokens["bob"])
    both.cookies.set("_token", tokens["carl"])
    assert OURS in both.get("/ui/config").text
    doubled = client(airflow_app, None)
    headers = [("Authorization", f"Bearer {tokens['carl']}"), ("Authorization", f"Bearer {tokens['bob']}")]
    assert OURS in doubled.get("/ui/config", headers=headers).text
    assert OURS in doubled.get("/ui/config", headers=headers[::-1]).text
    assert OURS in doubled.get("/ui/config", headers={"Authorization": f"bEaReR {tokens['carl']}"}).text


def asked_by(token: str, bound: BoundUsers, path: str = "/dags") -> tuple[int, str]:
    async def airflow(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("airflow")(scope, receive, send)

    answer = client(PagesOnly(airflow, bound), token).get(path)  # type: ignore[arg-type]  # any ASGI app
    return answer.status_code, answer.text


def away() -> dict[str, frozenset[int]]:
    raise MemsqlError("away")


def test_while_it_is_not_known_who_is_bound_only_operators_get_in(tokens: dict[str, str]) -> None:
    assert asked_by(tokens["ann"], BoundUsers({}, away)) == (200, "airflow")
    status, text = asked_by(tokens["bob"], BoundUsers({}, away))
    assert (status, "not known" in text) == (503, True)


def test_a_token_is_not_looked_at_while_nobody_is_bound(
    tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.web.bound.resolve_user_from_token", None)
    assert asked_by(tokens["bob"], BoundUsers({}, dict)) == (200, "airflow")
    with pytest.raises(TypeError):
        asked_by(tokens["bob"], bound_users())


@pytest.mark.parametrize("bound", [bound_users(), BoundUsers({"carl": frozenset({1})}, away), BoundUsers({}, away)])
def test_a_task_s_call_passes_without_a_line_in_the_log(
    airflow_app: FastAPI, bound: BoundUsers, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while people are bound, and while it is not known who is; the guard can't read the tokens of tasks."""
    from airflow.api_fastapi.execution_api.app import _jwt_generator

    token = _jwt_generator().generate({"sub": "01a220f9-a41d-7793-8981-0edb5ee28171"})  # type: ignore[no-untyped-call]  # Airflow's
    called = "/execution/variables/x"
    caplog.clear()
    assert asked_by(token, bound, called) == (200, "airflow")
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    with client(airflow_app, token) as task:
        assert task.get(called).status_code == 404, "Airflow has no such Variable, and took the token"


def test_the_pages_and_the_guard_ask_the_same(airflow_app: FastAPI) -> None:
    from plugins.pinwheel_plugin import PinwheelPlugin

    plugin = PinwheelPlugin()
    (guard,) = [g["kwargs"]["bound"] for g in plugin.fastapi_root_middlewares if g["middleware"] is PagesOnly]
    assert plugin.fastapi_apps[0]["app"].state.bound_users is guard
