"""The app as a whole: logins, errors, headers on every answer, and the modules that Airflow loads."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from plugins.web import files, pages
from plugins.web.access import DAGS, Scope
from plugins.web.navigation import LINKED, PAGES
from tests.support.pages import MODULES, ROOT, Login, api_routes

LOAD = """
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = [p for p in plugins if p.name == "pinwheel"]
heavy = [m for m in ("deltalake", "pyarrow", "pandas") if m in sys.modules]
web = [m for m in sys.modules if m.startswith("plugins.")]
print("LOADED" + json.dumps({"ours": len(ours), "errors": errors, "heavy": heavy, "web": web}))
"""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that the app answers, with something in each parameter."""
    for route in api_routes(app):
        path = re.sub(r"\{(\w+)(:\w+)?\}", "1", route.path)
        yield from ((method, path) for method in sorted(route.methods))


def test_nobody_gets_anything_without_a_login(app: FastAPI, login: Login) -> None:
    found = list(routes(app))
    assert len(found) >= 5
    client = login(None)
    for method, path in found:
        answer = client.request(method, path)
        assert (method, path, answer.status_code) == (method, path, 401)
        assert answer.json()["error"]["code"] == "signed_out"


@pytest.mark.parametrize("path", ["/live", "/health?brand=1&x=%20", "/runbooks/merge_events", "/"])
@pytest.mark.parametrize("root", ["/pinwheel", "/airflow/pinwheel"])
def test_a_person_who_opens_a_page_is_sent_to_the_login_and_back(login: Login, path: str, root: str) -> None:
    client = login(None)
    client.follow_redirects = False
    cast(Any, client._transport).root_path = root  # where Airflow mounts the app
    answer = client.get(f"{root}{path}", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 303
    there = urlsplit(answer.headers["location"])
    assert (there.netloc, there.path) == ("", f"{root.removesuffix('/pinwheel')}/api/v2/auth/login")
    assert parse_qs(there.query) == {"next": [f"{root}{path}"]}


def test_the_root_is_the_first_page(ann: TestClient) -> None:
    answer = ann.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{next(iter(PAGES))}")


def test_fastapi_s_own_pages_are_off(app: FastAPI, ann: TestClient, login: Login) -> None:
    assert {ann.get(path).status_code for path in ("/docs", "/redoc")} == {404}
    assert login(None).get("/openapi.json").status_code == 401


def test_a_wrong_token_is_refused(app: FastAPI) -> None:
    assert TestClient(app, cookies={"_token": "nonsense"}).get("/live").status_code == 403


def test_the_api_is_described_with_types(ann: TestClient) -> None:
    told = ann.get("/openapi.json").json()
    assert "/api/me" in told["paths"]
    for path, methods in told["paths"].items():
        for method, what in methods.items():
            assert "$ref" in json.dumps(what["responses"]["200"]), f"{method} {path} has no response model"
            assert {"401", "404", "503"} <= set(what["responses"])


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_there_and_leads_to_the_others(ann: TestClient, page: str) -> None:
    answer = ann.get(f"/{page}")
    assert answer.status_code == 200
    assert f'<a href="{page}" aria-current="page">' in answer.text
    assert [name for name in PAGES if f'<a href="{name}"' not in answer.text] == []
    for address in re.findall(r'(?:src|href)="(static/[^"]+)"', answer.text):
        assert ann.get(f"/{address}").status_code == 200, address


@pytest.mark.parametrize("page", PAGES | LINKED)
def test_no_page_has_inline_code(ann: TestClient, page: str) -> None:
    """The policy would stop it; better not to write it."""
    text = ann.get(f"/{page}").text
    assert re.findall(r"<style|style=|<script(?! (?:type=\"module\" )?src=)|\son\w+=|javascript:", text) == []


def test_no_script_writes_html() -> None:
    scripts = [path for path in files.STATIC.iterdir() if path.suffix == ".js"]
    assert len(scripts) > 5
    wrong = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(.style"
    assert [path.name for path in scripts if re.search(wrong, path.read_text())] == []


def test_what_the_style_says_of_a_name_holds_on_one_page_only() -> None:
    """`#tables` of one page had another page's tables scroll."""
    style = re.sub(r"/\*.*?\*/|\{.*?\}", "", (files.STATIC / "pinwheel.css").read_text(), flags=re.DOTALL)
    pages = [path.read_text() for path in files.STATIC.glob("*.html") if path.name != "shell.html"]
    named = set(re.findall(r"#([a-z][\w-]*)", style))
    assert named, "found by the names in the style sheet"
    assert {name: n for name in named if (n := sum(f'id="{name}"' in page for page in pages)) > 1} == {}


def test_security_headers_are_on_every_answer(ann: TestClient, login: Login) -> None:
    for answer in (ann.get("/live"), ann.get("/nothing"), login(None).get("/live"), ann.get("/static/pinwheel.css")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/nothing.css", "/static/vendor/nothing.js", "/static/..%2fapp.py"]
)
def test_what_is_not_there_is_told_in_the_one_shape(ann: TestClient, path: str) -> None:
    answer = ann.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}


def test_a_fault_is_told_without_its_details(app: FastAPI, ann: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "shell", lambda *_, **__: 1 / 0)
    answer = ann.get("/live")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "fault")
    assert "division" not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_title_is_escaped() -> None:
    text = pages.shell("live", "<script>x</script>", "", script="a.js")
    assert "<script>x" not in text
    assert "&lt;script&gt;x" in text


def test_who_is_bound_is_told_so(login: Login) -> None:
    for name in ("carl", "dora"):
        assert login(name).get("/api/me").json() == {"name": name, "brands": [1, 2], "may_trigger": []}
    assert login("bob").get("/api/me").json() == {"name": "bob", "brands": None, "may_trigger": []}
    assert login("ann").get("/api/me").json() == {"name": "ann", "brands": None, "may_trigger": [*DAGS]}


def test_a_scope_is_a_filter_of_sql() -> None:
    assert Scope(None).sql() == {"all_brands": 1, "brands": (-1,)}
    assert Scope(frozenset({2, 1})).sql() == {"all_brands": 0, "brands": (1, 2)}
    assert Scope(frozenset()).sql() == {"all_brands": 0, "brands": (-1,)}
    assert not Scope(frozenset()).sees(None)


@pytest.mark.skipif(not MODULES.exists(), reason="`make setup` fetches the web files")
@pytest.mark.parametrize("name", files.VENDOR)
def test_web_packages_are_served_compressed_and_asked_for_again(ann: TestClient, name: str) -> None:
    first = ann.get(f"/static/vendor/{name}")
    assert (first.status_code, first.headers["content-encoding"]) == (200, "gzip")
    assert "private" in first.headers["cache-control"]
    again = ann.get(f"/static/vendor/{name}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


NAVIGATION = ["plugins.web", "plugins.web.navigation"]  # the list of pages, which imports nothing


def test_airflow_loads_one_plugin_and_little_else(airflow_home: Path) -> None:
    """Each task is a process that loads it."""
    env = os.environ | {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([sys.executable, "-c", LOAD], env=env, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert lines, done.stdout + done.stderr
    told = json.loads(lines[0].removeprefix("LOADED"))
    assert (told["ours"], told["errors"], told["web"]) == (1, {}, NAVIGATION)
    assert told["heavy"] == []
