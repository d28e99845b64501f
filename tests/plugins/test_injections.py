"""No text that somebody gives changes a statement: not a page's parameter, not a form's field, not an event's."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from pinwheel.alerts import raising
from pinwheel.alerts.catalogue import STREAM_CONTINUED
from pinwheel.clients import grants, memsql
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MemsqlSettings, MergeSettings, ReplaySettings, load
from pinwheel.erase.ledger import asked_by_form, begin
from pinwheel.lake.replay import Wanted
from pinwheel.merge.ledger import release
from pinwheel.merge.rejudge import rejudge
from pinwheel.quality.run import period
from pinwheel.reports.run import numbers_in
from tests.support.database import merge_settings
from tests.support.injections import LITERAL, STRINGS, recorded, shape
from tests.support.lakes import NOON, event, land
from tests.support.pages import Login
from tests.support.slices import merge_all

Door = Callable[[str], object]
FIELDS = ("title", "description", "link", "image_url", "category", "region", "city")  # texts of a pin
USUAL = ["a", "7", "repin", "2026-03-14", "2026-03-14T12:00:00", "retry", "accept", "", "travel", "1,2"]
"""Values that the doors take, so that all of their statements are seen."""


def test_there_are_500_of_them() -> None:
    assert len(set(STRINGS)) >= 500


@pytest.mark.parametrize("value", STRINGS[::7])
def test_a_shape_has_no_value(value: str) -> None:
    from pymysql.converters import escape_string

    assert shape(f"SELECT a FROM t WHERE b = '{escape_string(value)}' AND c IN (1, 2)") == (
        "SELECT a FROM t WHERE b = ? AND c IN (?)"
    )


def test_a_shape_shows_what_a_value_adds() -> None:
    assert shape("SELECT a FROM t WHERE b = '' OR 1=1") != shape("SELECT a FROM t WHERE b = ''")
    assert LITERAL.sub("?", r"'it\'s' 'it''s' 12 -1.5e3 NULL") == "? ? ? ? ?"


@pytest.fixture
def merging(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    return merge_settings(memsql_settings, place)


@pytest.fixture
def pages(app: FastAPI, merging: MergeSettings, login: Login) -> Iterator[TestClient]:
    """The pages with a database that answers."""
    from plugins.web.database import database

    with memsql.connect(merging) as opened:
        app.dependency_overrides[database] = lambda: opened
        yield login("ann")


@pytest.fixture
def doors(merging: MergeSettings) -> Iterator[dict[str, Door]]:
    """The functions that take a person's text to the database, by what they are for."""
    with memsql.connect(merging) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(raising, "_connected", lambda: memsql.connect(merging))
        replaying = load(ReplaySettings, **merging.model_dump(include=set(ReplaySettings.model_fields)))

        def erase(reason: str, by: str) -> object:
            form = {"user_id": 7, "reason": reason, "erase_pins": False}
            begun = begin(connection, asked_by_form(form, by, {"name": f"{by} too"}), SecretStr("key"))
            connection.rollback()
            return begun

        def name_brand(name: str, contact: str | None) -> None:
            brand = {"brand_id": 7, "name": name, "contact": contact}
            memsql.execute(connection, "generate/upsert_brands", brand)
            connection.rollback()

        def again(**form: str) -> object:
            asked = {"reason": None, "event_type": None, "from_time": None, "to_time": None} | form
            return rejudge(replaying, connection, Wanted.by_form(asked), "ann", dry_run=True)

        yield {
            "release_slice: who": lambda text: release(merging, 7, "retry", text),
            "release_slice: decision": lambda text: release(merging, 7, text, "ann"),
            "erase_person: reason": lambda text: erase(text, "ann"),
            "erase_person: who": lambda text: erase("a reason", text),
            "replay_dead_letters: reason": lambda text: again(reason=text),
            "replay_dead_letters: event_type": lambda text: again(event_type=text),
            "replay_dead_letters: from_time": lambda text: again(from_time=text),
            "check_quality: from_hour": lambda text: period(text, "2026-03-14T13:00", NOON + timedelta(days=1), 7),
            "report_brands: brand_ids": lambda text: numbers_in(text),
            "an alert": lambda text: raising.raise_alert(STREAM_CONTINUED, text, text),
            "an alert's end": lambda text: raising.resolve_alert(STREAM_CONTINUED, text, text),
            "a brand's name": lambda text: name_brand(text, None),
            "a brand's contact": lambda text: name_brand("a", text),
            "the database's name": lambda text: grants.statements("grants/users", "mariadb", text),
        }


def test_no_text_changes_a_statement(doors: dict[str, Door]) -> None:
    with recorded() as statements:
        for name, door in doors.items():
            for text in USUAL:
                _try(door, text)
            usual = statements.take()
            for text in STRINGS:
                _try(door, text)
                assert not statements.shapes - usual, f"{name} with {text!r}"


def _try(door: Door, text: str) -> None:
    with suppress(PinwheelError, ValidationError):
        door(text)


def test_no_parameter_of_a_page_changes_a_statement(app: FastAPI, pages: TestClient) -> None:
    with recorded() as statements:
        for path, names in parameters(app).items():
            for text in USUAL:
                ask(pages, path, names, text)
            usual = statements.take()
            for text in STRINGS:
                assert ask(pages, path, names, text) < 500, f"{path} with {text!r}"
                assert not statements.shapes - usual, f"{path} with {text!r}"


def parameters(app: FastAPI) -> dict[str, list[str]]:
    """The routes with parameters, and those in the query. All but the stream of events, which asks no database."""
    found = {path: methods.get("get", {}).get("parameters", []) for path, methods in app.openapi()["paths"].items()}
    return {
        path: [parameter["name"] for parameter in all_ if parameter["in"] == "query"]
        for path, all_ in found.items()
        if all_ and not path.endswith("/events")
    }


def ask(client: TestClient, path: str, names: list[str], text: str) -> int:
    """The status of an answer to a text in every parameter."""
    told = quote(text, safe="", errors="surrogatepass")
    query = "&".join(f"{name}={told}" for name in names)
    return int(client.get(f"{re.sub(r'{[^}]*}', lambda _: told, path)}?{query}").status_code)


def test_no_field_of_an_event_changes_a_statement_or_itself(merging: MergeSettings) -> None:
    told: dict[str, dict[str, str]] = {}
    seen: list[set[str]] = []
    with recorded() as statements, memsql.connect(merging, local_infile=True) as connection:
        for turn, texts in enumerate((["a"] * len(STRINGS), ["A"] * len(STRINGS), STRINGS)):
            first = turn * len(STRINGS)
            ids = {f"{text[:20]} {n}": text for n, text in enumerate(texts, first)}
            told |= {event_id: {name: text[:30] for name in FIELDS} for event_id, text in ids.items()}
            places = enumerate(ids, first)
            land(merging.lake_uri, [event("pin", i, n, user_id=n, pin_id=n, **told[i]) for n, i in places])
            merge_all("pins", merging, connection)
            seen.append(statements.take())
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT event_id, {', '.join(FIELDS)} FROM pins")
            found = list(cursor.fetchall())
    assert {row.pop("event_id"): row for row in found} == told
    assert seen[2] <= seen[0] | seen[1], sorted(seen[2] - seen[0] - seen[1])
