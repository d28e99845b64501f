"""Airflow's FAB auth manager, with the roles and people of docs/deploy.md: how they sign in, and what they see."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pinwheel.clients.memsql import connect, transaction
from pinwheel.core.settings import MemsqlSettings
from pinwheel.operate.brand_users import bind
from plugins.web.access import DAGS
from tests.support.database import empty_tables, environment_of
from tests.support.pages import ROOT
from tests.support.ports import free_port

PASSWORD = "of these tests"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# Beside those of the document: an administrator, a login without a role that counts, and one that nobody has bound yet.
OTHERS = {"root": "Admin", "vic": "Viewer", "eve": "Public", "nora": "Brand"}
DATA = ("trends", "brands/1", "health/complete")
OF_ALL = ("health/alerts", "users")


def commands() -> list[str]:
    """Every ``airflow …`` line of the document's section, and the users that it does not have."""
    text = (ROOT / "docs" / "deploy.md").read_text().partition("## Roles, and single sign-on")[2].partition("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    create = 'airflow users create -f x -l x --password "$PASSWORD" --username {0} --email {0}@example.com --role {1}'
    users = [create.format(name, role) for name, role in OTHERS.items()]
    return [line for block in blocks for line in block.splitlines()] + users


@pytest.fixture(scope="module")
def airflow(memsql_settings: MemsqlSettings, airflow_home: Path) -> Iterator[str]:
    """The address of an API server in a process of its own: this one's auth manager is another."""
    bind_dora(memsql_settings)
    home, port = airflow_home / "fab", free_port()
    home.mkdir()
    env = environment(home, memsql_settings)
    program = [sys.executable, "-m", "tests.support.fab_airflow", str(port)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(program, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
    assert server.stdin
    server.stdin.write("\n".join(commands()) + "\n")
    server.stdin.close()
    try:
        address = f"http://127.0.0.1:{port}"
        wait(server, address, home / "log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def bind_dora(settings: MemsqlSettings) -> None:
    empty_tables(settings)
    with connect(settings) as connection, transaction(connection):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO brands (brand_id, name) VALUES (1, 'Halden'), (2, 'Nordwind')")
        bind(connection, "dora", [1], "asked", "ann", datetime(2026, 3, 14, 12))


def environment(home: Path, settings: MemsqlSettings) -> dict[str, str]:
    of_others = ("PINWHEEL_", "AIRFLOW_")  # what tests of the running stack have set in this process
    return (
        {name: value for name, value in os.environ.items() if not name.startswith(of_others)}
        | environment_of(settings)
        | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__API__SECRET_KEY": "a secret of these tests",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests, long enough to sign with it: at least 64 bytes",
            "PASSWORD": PASSWORD,
            "PYTHONPATH": str(ROOT),
        }
    )


def wait(server: subprocess.Popen[str], address: str, log: Path) -> None:
    ends = time.monotonic() + 240
    while time.monotonic() < ends and server.poll() is None:
        try:
            httpx.get(f"{address}/api/v2/version")
            return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-5000:])


def signed_in(airflow: str, name: str) -> httpx.Client:
    """As a program signs in."""
    login = {"username": name, "password": PASSWORD}
    token = httpx.post(f"{airflow}/auth/token", json=login, timeout=60).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=airflow, timeout=60, headers={"Authorization": f"Bearer {token}"})


def me(client: httpx.Client) -> Any:
    answer = client.get("/pinwheel/api/me")
    return answer.json() if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize(
    ("name", "brands", "triggers"),
    [
        ("root", None, list(DAGS)),
        ("ann", None, list(DAGS)),
        ("bob", None, []),
        ("dora", [1], []),
        ("nora", [], []),
    ],
)
def test_a_role_of_fab_says_what_its_users_see(airflow: str, name: str, brands: Any, triggers: list[str]) -> None:
    with signed_in(airflow, name) as person:
        assert me(person) == {"name": name, "brands": brands, "may_trigger": triggers}


@pytest.mark.parametrize("name", ["vic", "eve"])
def test_who_may_not_see_plugins_gets_none_of_the_pages(airflow: str, name: str) -> None:
    with signed_in(airflow, name) as person:
        paths = ["live", "api/me", *(f"api/{path}" for path in DATA + OF_ALL)]
        assert {person.get(f"/pinwheel/{path}").status_code for path in paths} == {403}


@pytest.mark.parametrize(
    ("name", "data", "of_all", "users", "other_brand"),
    [
        ("ann", 200, 200, 200, 200),
        ("bob", 200, 200, 403, 200),
        ("dora", 200, 403, 403, 404),
        ("nora", 403, 403, 403, 403),
    ],
)
def test_the_routes_follow(airflow: str, name: str, data: int, of_all: int, users: int, other_brand: int) -> None:
    with signed_in(airflow, name) as person:
        asked = {
            path: person.get(f"/pinwheel/api/{path}").status_code
            for path in ("brands/1", "health/complete", "health/alerts", "users", "brands/2")
        }
        assert list(asked.values()) == [data, data, of_all, users, other_brand], asked


def test_of_airflow_itself_a_bound_person_sees_nothing(airflow: str) -> None:
    asked = ("/api/v2/dags", "/api/v2/variables", "/ui/config")
    with signed_in(airflow, "dora") as dora:
        assert {dora.get(path).status_code for path in asked} == {403}
        assert "bound to some brands" in dora.get("/api/v2/dags").text
    with signed_in(airflow, "bob") as bob:
        assert [bob.get(path).status_code for path in asked] == [200, 403, 200]
        assert bob.post("/api/v2/dags/bind_user/dagRuns", json={"logical_date": None}).status_code == 403


@pytest.mark.parametrize("name", ["ann", "dora"])
def test_whoever_opens_a_page_is_led_to_the_login_and_back(airflow: str, name: str) -> None:
    with httpx.Client(base_url=airflow, timeout=60, follow_redirects=True, headers={"Accept": "text/html"}) as browser:
        form = browser.get("/pinwheel/brand?brand=1")
        assert form.url.path == "/auth/login/"
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
        assert found, form.text
        fields = {"csrf_token": found[1], "username": name, "password": PASSWORD}
        page = browser.post(str(form.url), data=fields)
        assert (page.status_code, page.url.path, page.url.query) == (200, "/pinwheel/brand", b"brand=1")
        assert me(browser)["name"] == name
        refused = httpx.post(f"{airflow}/auth/token", json={"username": name, "password": "wrong"})
        assert refused.status_code == 401
