"""Rights of a user: by the setting, by the table, by Airflow's roles, and nothing otherwise; and the page Users."""

import re
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, Route, expect

from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MemsqlError
from pinwheel.operate.brand_users import bind
from plugins.web import access
from plugins.web.bound_users import READ_AFTER, BoundUsers, NotKnownError
from plugins.web.navigation import LINKED, PAGES
from tests.support.browser import available, opened
from tests.support.pages import BOUND_BY_TABLE, MODULES, Login, api_routes

NOW = datetime(2026, 3, 14, 12)
ONE, TWO = frozenset({1}), frozenset({2})
SHELL = {"/api/me"}  # what everybody with a login may ask
LIST = {
    "users": [
        {
            "user": "dora",
            "brands": [{"brand_id": "1", "name": "Halden"}, {"brand_id": "2", "name": None}],
            "reason": "their agency",
            "bound_by": "ann",
            "bound_at": "2026-03-14T12:00:00Z",
        }
    ],
    "of_setting": [{"user": "carl", "brands": [{"brand_id": "1", "name": "Halden"}]}],
    "brands": [{"brand_id": "1", "name": "Halden"}, {"brand_id": "2", "name": "Nordwind"}],
}


class Table:
    """Of bound users; it does not answer while it is away."""

    def __init__(self) -> None:
        self.rows: dict[str, frozenset[int]] = {}
        self.is_away = False
        self.reads = 0

    def read(self) -> dict[str, frozenset[int]]:
        self.reads += 1
        if self.is_away:
            raise MemsqlError("away")
        return dict(self.rows)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def bound(table: Table, now: list[float]) -> BoundUsers:
    return BoundUsers({"carl": ONE}, table.read, lambda: now[0])


def test_the_setting_counts_before_the_table(bound: BoundUsers, table: Table) -> None:
    table.rows = {"carl": frozenset({9}), "dora": TWO}
    assert [bound.of(name) for name in ("carl", "dora", "bob")] == [ONE, TWO, None]


def test_the_table_is_read_again_after_some_seconds(bound: BoundUsers, table: Table, now: list[float]) -> None:
    assert bound.of("dora") is None
    table.rows = {"dora": TWO}
    assert (bound.of("dora"), table.reads) == (None, 1)
    now[0] += READ_AFTER
    assert bound.of("dora") == TWO


def test_what_was_known_last_counts_while_the_table_is_away(bound: BoundUsers, table: Table, now: list[float]) -> None:
    table.rows = {"dora": TWO}
    assert bound.of("dora") == TWO
    table.is_away = True
    now[0] += READ_AFTER
    assert (bound.of("dora"), bound.of("bob")) == (TWO, None)
    assert table.reads == 2, "not asked again by each request"


def test_whoever_is_not_known_is_not_taken_for_unbound(bound: BoundUsers, table: Table) -> None:
    table.is_away = True
    assert bound.of("carl") == ONE
    with pytest.raises(NotKnownError):
        bound.of("bob")
    assert not BoundUsers({}, table.read).is_nobody()


def brands_of(client: TestClient) -> Any:
    answer = client.get("/api/me")
    return answer.json()["brands"] if answer.status_code == 200 else answer.status_code


def test_while_it_is_not_known_operators_see_everything_and_others_wait(
    app: FastAPI, login: Login, bound: BoundUsers, table: Table, now: list[float]
) -> None:
    app.state.bound_users, table.is_away = bound, True
    assert [brands_of(login(name)) for name in ("ann", "bob", "carl", "dora")] == [None, 503, [1], None]
    table.is_away, table.rows = False, BOUND_BY_TABLE
    now[0] += READ_AFTER
    assert [brands_of(login(name)) for name in ("ann", "bob", "carl", "dora")] == [None, None, [1], [1, 2]]


@pytest.fixture
def nobody(login: Login, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """May sign in, and is let read no Dag: a role that the simple auth manager does not have."""
    monkeypatch.setattr(access, "may_read", lambda user, dag: False)
    monkeypatch.setattr(access, "may_run", lambda user, dag: False)
    return login("bob")


def test_whoever_is_neither_bound_nor_lets_read_sees_no_data(app: FastAPI, nobody: TestClient) -> None:
    assert nobody.get("/api/me").json() == {"name": "bob", "brands": [], "may_trigger": []}
    shown = []
    for route in api_routes(app):
        if route.path.startswith("/api/") and route.path not in SHELL:
            path = re.sub(r"\{[^}]+\}", "1", route.path)
            answers = {method: nobody.request(method, path) for method in route.methods}
            shown += [(m, path) for m, answer in answers.items() if "may see no brand yet" not in answer.text]
    assert shown == []
    assert {nobody.get(f"/{page}").status_code for page in PAGES | LINKED} == {200}, "the pages say why"


@pytest.mark.parametrize("name", ["bob", "carl", "dora"])
def test_who_may_not_bind_sees_no_list(login: Login, name: str) -> None:
    assert login(name).get("/api/users").status_code == 403


def test_the_list_has_all_who_are_bound(connection: Connection, ann: TestClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO brands (brand_id, name) VALUES (1, 'Halden'), (2, 'Nordwind')")
    bind(connection, "dora", [2, 1], "their agency", "ann", NOW)
    bind(connection, "carl", [2], "the setting counts", "ann", NOW)
    connection.commit()
    told = ann.get("/api/users").json()
    named = [{"brand_id": "1", "name": "Halden"}, {"brand_id": "2", "name": "Nordwind"}]
    (dora,) = told["users"]
    assert (dora["user"], dora["brands"], dora["bound_by"]) == ("dora", named, "ann")
    assert [(one["user"], one["brands"], one["bound_by"]) for one in told["of_setting"]] == [("carl", named, None)]
    assert told["brands"] == named


NEEDS_BROWSER = pytest.mark.skipif(not available() or not MODULES.exists(), reason="needs Chromium, and `make setup`")


def binds(page: Page, user: str) -> None:
    page.get_by_role("button", name="Bind a user").click()
    page.get_by_label("Signs in as").fill(user)
    page.get_by_role("listbox").select_option(["Nordwind", "Halden"])
    page.get_by_label("Why").fill("new")
    page.get_by_role("button", name="Bind", exact=True).click()


@NEEDS_BROWSER
def test_a_person_binds_changes_and_unbinds(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    asked: list[Any] = []
    with opened(browser, f"{address}/users", tokens["ann"], {"users": LIST}) as (page, seen):

        def run(route: Any) -> None:
            if route.request.method == "POST":
                asked.append(route.request.post_data_json["conf"])
            route.fulfill(json={"dag_run_id": "1", "state": "success"})

        page.route("**/api/v2/dags/bind_user/dagRuns**", run)
        expect(page.locator("#content")).to_contain_text("PINWHEEL_BRAND_USERS")
        binds(page, "emil")
        expect(page.locator("#said")).to_contain_text("emil: queued")
        expect(page.locator("#said")).to_have_text("emil: done. It counts within half a minute.", timeout=10_000)
        page.get_by_role("button", name="Change dora").click()
        expect(page.get_by_role("listbox")).to_have_values(["1", "2"])
        page.get_by_role("listbox").select_option(["Halden"])
        page.get_by_label("Why").fill("less")
        page.get_by_role("button", name="Bind", exact=True).click()
        page.get_by_role("button", name="Unbind dora").click()
        page.get_by_label("Why").fill("left")
        page.get_by_role("button", name="Unbind", exact=True).click()
        expect(page.locator("dialog")).to_have_count(0)
        page.wait_for_timeout(300)
        assert asked == [
            {"user": "emil", "brand_ids": "1, 2", "reason": "new"},
            {"user": "dora", "brand_ids": "1", "reason": "less"},
            {"user": "dora", "brand_ids": None, "reason": "left"},
        ]
        assert page.get_by_role("button", name="carl").count() == 0, "the environment's"
        assert seen.faults == []


# As Airflow answers it, shortened.
REFUSED = {
    "content": [
        {"event": "::group::Pre Execute", "level": "info", "logger": "task"},
        {"event": "brand_ids: there is no brand 9", "level": "error", "logger": "pinwheel.operate.refusal"},
        {"event": "Task failed with exception", "level": "error", "logger": "task", "error_detail": []},
    ],
    "continuation_token": None,
}
WITHOUT_REASON = {"content": [{"event": "Task failed with exception", "level": "error", "logger": "task"}]}


@NEEDS_BROWSER
@pytest.mark.parametrize(
    ("log", "told"),
    [
        ({"json": REFUSED}, "Refused: brand_ids: there is no brand 9, see its run."),
        ({"json": WITHOUT_REASON}, "emil: it failed, see its run."),
        ({"status": 403, "json": {}}, "emil: it failed, see its run."),
    ],
)
def test_a_refusal_is_said_on_the_page(
    browser: Browser, address: str, tokens: dict[str, str], log: dict[str, Any], told: str
) -> None:
    with opened(browser, f"{address}/users", tokens["ann"], {"users": LIST}) as (page, seen):

        def airflow(route: Route) -> None:
            if "/taskInstances/bind/logs/1" in route.request.url:
                return route.fulfill(**log)
            return route.fulfill(json={"dag_run_id": "manual__1+2", "state": "failed"})

        page.route("**/api/v2/dags/bind_user/dagRuns**", airflow)
        binds(page, "emil")
        expect(page.locator("#said")).to_have_text(told, timeout=10_000)
        link = page.locator("#said").get_by_role("link", name="its run")
        assert str(link.get_attribute("href")).endswith("/dags/bind_user/runs/manual__1%2B2")
        assert seen.faults == []


@NEEDS_BROWSER
def test_nobody_binds_themselves_on_the_page(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/users", tokens["ann"], {"users": LIST}) as (page, seen):
        binds(page, " ann ")
        expect(page.locator("#said")).to_contain_text("is you, and would lose Airflow")
        assert not [url for url in seen.requests if "/dagRuns" in url]


@NEEDS_BROWSER
def test_who_may_not_trigger_is_told_so(browser: Browser, address: str, tokens: dict[str, str]) -> None:
    with opened(browser, f"{address}/users", tokens["ann"], {"users": LIST}) as (page, _):
        page.route("**/api/v2/dags/bind_user/dagRuns", lambda route: route.fulfill(status=403, json={}))
        binds(page, "emil")
        expect(page.locator("#said")).to_have_text("You may not trigger bind_user.")
