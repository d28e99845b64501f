"""The live stream: which events are sent, to which viewer, how often, and that it ends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.core.settings import WebSettings
from plugins.web import live_hub
from plugins.web.app import create_app
from plugins.web.database import database
from plugins.web.live_hub import Hub
from tests.support.live_lakes import LIMA, land, now_events
from tests.support.pages import BRAND_USERS, bound_users, serving

Event = tuple[str, str | None, Any]  # name, id, data


@pytest.fixture
def lake_dir(settings: WebSettings) -> Path:
    return Path(settings.lake_uri)


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    name, identity, data = "message", None, ""
    for line in lines:
        field, _, value = line.partition(":")
        match field:
            case "event":
                name = value.strip()
            case "id":
                identity = value.strip()
            case "data":
                data = value.strip()
            case "" if not line and data:
                yield name, identity, json.loads(data)
                name, identity, data = "message", None, ""


@contextmanager
def watching(
    address: str, token: str, headers: dict[str, str] | None = None, **params: Any
) -> Iterator[Iterator[Event]]:
    url = f"{address}/api/live/events"
    timeout = httpx.Timeout(15)
    cookies = {"_token": token}
    with (
        httpx.Client(cookies=cookies, timeout=timeout) as client,
        client.stream("GET", url, params=params, headers=headers or {}) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield parsed(answer.iter_lines())


def updates(events: Iterator[Event], n: int) -> list[Event]:
    found = []
    for event in events:
        if event[0] in ("update", "past"):
            found.append(event)
            if len(found) == n:
                break
    return found


def until(true: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def hub(app: FastAPI) -> Hub:
    found: Hub = app.state.hub
    return found


def test_what_lands_is_sent_with_its_version(address: str, tokens: dict[str, str], lake_dir: Path) -> None:
    land(lake_dir, now_events(3))
    with watching(address, tokens["ann"]) as events:
        ((name, _, data),) = updates(events, 1)
        assert (name, data["counts"]["repin"]) == ("past", 3)
        land(lake_dir, now_events(2, **LIMA))
        ((name, identity, data),) = updates(events, 1)
        assert (name, identity, data["places"]["city"]) == ("update", str(data["version"]), ["Lima"])


def test_who_comes_back_gets_what_they_missed(address: str, tokens: dict[str, str], lake_dir: Path) -> None:
    for n in (1, 2, 3):
        land(lake_dir, now_events(n))
    with watching(address, tokens["ann"]) as first:
        seen = updates(first, 3)
        with watching(address, tokens["ann"], {"Last-Event-ID": str(seen[1][1])}) as second:
            assert [data["counts"]["repin"] for _, _, data in updates(second, 1)] == [3]
        with watching(address, tokens["ann"], after=int(str(seen[0][1]))) as third:
            assert [data["counts"]["repin"] for _, _, data in updates(third, 2)] == [2, 3]


def test_one_reader_for_all_and_none_for_nobody(
    app: FastAPI, address: str, tokens: dict[str, str], lake_dir: Path
) -> None:
    land(lake_dir, now_events(1))
    assert not hub(app).is_reading
    with watching(address, tokens["ann"]) as one, watching(address, tokens["bob"]) as two:
        assert updates(one, 1)
        assert updates(two, 1)
        readers = [t.name for t in threading.enumerate() if t.name == "live-reader"]
        assert (hub(app).viewers, readers) == (2, ["live-reader"])
    assert until(lambda: hub(app).viewers == 0 and not hub(app).is_reading)


def test_a_bound_viewer_gets_no_point_of_another_brand(address: str, tokens: dict[str, str], lake_dir: Path) -> None:
    both = [*now_events(2, brand_id=2), *now_events(5, brand_id=9, **LIMA), *now_events(1, "login", brand_id=None)]
    land(lake_dir, both)
    with watching(address, tokens["carl"], types="repin,login,pin,comment") as events:
        ((_, _, data),) = updates(events, 1)
    assert data["places"]["city"] == ["Paris"]
    assert data["counts"] == {"repin": 2, "pin": 0, "comment": 0, "login": 0}
    assert "Lima" not in json.dumps(data)


def test_a_bound_viewer_can_not_ask_for_another_brand(carl: TestClient) -> None:
    assert BRAND_USERS["carl"] == [1, 2]
    answer = carl.get("/api/live/events", params={"brand": 9})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "There is no brand 9 that you may see."


@pytest.mark.parametrize(
    ("params", "status"),
    [({"types": "repin,nonsense"}, 422), ({"category": "x" * 65}, 422), ({"brand": "ten"}, 422), ({"after": -1}, 422)],
)
def test_bad_parameters(ann: TestClient, params: dict[str, Any], status: int) -> None:
    answer = ann.get("/api/live/events", params=params)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})


def test_too_many_are_told(settings: WebSettings, tokens: dict[str, str]) -> None:
    app = create_app(settings.model_copy(update={"live_max_viewers": 1}), bound_users())
    with serving(app) as address, watching(address, tokens["ann"]) as events:
        next(events)
        answer = httpx.get(f"{address}/api/live/events", cookies={"_token": tokens["bob"]})
        assert answer.status_code == 503
        assert "1 people are watching already" in answer.json()["error"]["message"]
        watchers = httpx.get(f"{address}/api/live/watchers", cookies={"_token": tokens["bob"]}).json()
        assert watchers == {"viewers": 1, "max_viewers": 1}


def test_a_stream_ends(settings: WebSettings, tokens: dict[str, str]) -> None:
    app = create_app(settings.model_copy(update={"live_stream_seconds": 0.5}), bound_users())
    with serving(app) as address, watching(address, tokens["ann"]) as events:
        assert {name for name, _, _ in events} == {"state"}
    assert until(lambda: hub(app).viewers == 0)


def test_a_stopping_server_ends_its_streams(app: FastAPI, address: str, tokens: dict[str, str]) -> None:
    with watching(address, tokens["ann"]) as events:
        next(events)
        hub(app).close()
        assert list(events)


def test_a_lake_that_is_away_is_told_and_read_when_it_is_back(
    address: str, tokens: dict[str, str], lake_dir: Path
) -> None:
    log = lake_dir / "events" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no JSON")
    with watching(address, tokens["ann"]) as events:
        assert any(name == "state" and data["state"] == "away" for name, _, data in events)
        (log / f"{0:020}.json").unlink()
        land(lake_dir, now_events(4))
        assert any(name == "state" and data["state"] == "ok" for name, _, data in events)
    with watching(address, tokens["ann"]) as events:
        assert updates(events, 1)[0][2]["counts"]["repin"] == 4


def test_a_slow_viewer_loses_the_oldest_and_is_told(
    address: str, tokens: dict[str, str], lake_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "QUEUE", 2)
    for n in range(1, 6):
        land(lake_dir, now_events(n))
    with watching(address, tokens["ann"]) as first:
        updates(first, 2)  # the reader has read everything
        with watching(address, tokens["bob"]) as second:
            found = [event for event, _ in zip(second, range(4), strict=False)]
    dropped = [data["updates"] for name, _, data in found if name == "dropped"]
    kept = [data["counts"]["repin"] for name, _, data in found if name == "past"]
    assert (dropped, kept) == ([3], [4, 5])


def test_the_filters_offer_what_a_viewer_may_see(
    app: FastAPI, ann: TestClient, carl: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.web import live

    asked = []

    def fetch(_: object, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(params)
        if name == "pages/brand_choices":
            return [{"brand_id": 1, "name": "<b>"}]
        return [{"category": "food" if name == "pages/category_choices" else f"of {params['brands']}"}]

    monkeypatch.setattr(live, "fetch", fetch)
    app.dependency_overrides[database] = lambda: None
    answer = ann.get("/api/live/choices").json()
    assert answer == {"brands": [{"brand_id": 1, "name": "<b>"}], "categories": ["food"]}
    assert asked[0] == {"all_brands": 1, "brands": (-1,)}
    assert carl.get("/api/live/choices").json()["categories"] == ["of (1, 2)"]
    assert asked[2] == {"all_brands": 0, "brands": (1, 2)}


def test_without_the_database_the_filters_say_so(ann: TestClient) -> None:
    answer = ann.get("/api/live/choices")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "memsql_away")
    assert "127.0.0.1" not in answer.text, "where it is, is nobody's business"
