"""The app behind the pages, as people with a login of Airflow's simple auth manager see it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MemsqlSettings, WebSettings, load
from tests.support.brand_reports import clock, held, maker, named, report_settings, run, store
from tests.support.database import empty_tables
from tests.support.pages import BRAND_USERS, MODULES, PEOPLE, ROOT, SECRET, Login, bound_users, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["clock", "held", "maker", "named", "report_settings", "run", "store"]  # for the page of reports


@pytest.fixture(scope="session")
def tokens(airflow_home: Path) -> Iterator[dict[str, str]]:
    """A session token for each of the people."""
    before = dict(os.environ)
    os.environ |= {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{airflow_home / 'airflow.db'}",
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{n}:{role}" for n, role in PEOPLE.items()),
    }
    from airflow.api_fastapi.app import create_auth_manager, purge_cached_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.models.revoked_token import RevokedToken

    purge_cached_app()
    patch = pytest.MonkeyPatch()
    patch.setattr(RevokedToken, "is_revoked", lambda jti: False)  # would ask Airflow's database
    manager = create_auth_manager()
    yield {n: manager.generate_jwt(SimpleAuthManagerUser(username=n, role=role)) for n, role in PEOPLE.items()}
    patch.undo()
    purge_cached_app()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def airflow_app(tokens: dict[str, str]) -> Iterator[FastAPI]:
    """Airflow's API server with our plugin, without its database: a refused request never gets as far as that."""
    from airflow import plugins_manager
    from airflow.api_fastapi.app import create_app

    kept = dict(os.environ)
    os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plugins.web.bound_users.of_database", lambda settings: bound_users())
        patch.setattr("airflow.settings.PLUGINS_FOLDER", str(ROOT / "plugins"))
        plugins_manager._get_plugins.cache_clear()
        yield create_app()
        plugins_manager._get_plugins.cache_clear()
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    """Of a lake that is not there, and a database that does not answer."""
    return load(
        WebSettings,
        brand_users=BRAND_USERS,
        web_modules_dir=MODULES,
        lake_uri=str(tmp_path / "lake"),
        quality_dir=tmp_path / "quality",
        stream_dir=tmp_path / "stream",
        driver_lock_path=tmp_path / "stream" / "driver.lock",
        memsql_port=1,
        memsql_connect_seconds=1,
    )


@pytest.fixture
def app(tokens: dict[str, str], settings: WebSettings) -> FastAPI:
    from plugins.web.app import create_app

    return create_app(settings, bound_users())


@pytest.fixture
def login(app: FastAPI, tokens: dict[str, str]) -> Login:
    """A client with a person's session, or without one."""

    def client(name: str | None) -> TestClient:
        cookies = {"_token": tokens[name]} if name else {}
        return TestClient(app, cookies=cookies, raise_server_exceptions=False)

    return client


@pytest.fixture
def ann(login: Login) -> TestClient:
    """Sees every brand, may send alerts."""
    return login("ann")


@pytest.fixture(params=["carl", "dora"])
def carl(login: Login, request: pytest.FixtureRequest) -> TestClient:
    """Bound to the brands 1 and 2, by the setting or by the table."""
    return login(request.param)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    with serving(app) as found:
        yield found


@pytest.fixture
def connection(app: FastAPI, memsql_settings: MemsqlSettings) -> Iterator[Connection]:
    """A database that the pages ask."""
    empty_tables(memsql_settings)
    with memsql.connect(memsql_settings, local_infile=True) as opened:
        from plugins.web.database import database

        app.dependency_overrides[database] = lambda: opened
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright  # not at the top: the fast tests do without a browser

    from tests.support.browser import launch

    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()
