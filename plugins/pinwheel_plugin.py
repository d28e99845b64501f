"""Pinwheel's pages in Airflow's navigation.

Every Airflow process loads this file, including each task. The pages' code is imported only by the API server, when it
reads ``fastapi_apps`` and ``fastapi_root_middlewares``.
"""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from pinwheel.operate import lineage
from plugins.web.navigation import CATEGORY, METRICS, PAGES, PREFIX


class PinwheelPlugin(AirflowPlugin):
    """The pages' app with a view for each page, and the metrics' app."""

    name = "pinwheel"
    listeners = [lineage]  # noqa: RUF012 - as below
    external_views = [  # noqa: RUF012 - Airflow reads the attribute of the class
        {
            "name": title,
            "href": f"{PREFIX}/{page}",
            "destination": "nav",
            "category": CATEGORY,
            "url_route": f"pinwheel-{page}",
            "icon": f"{PREFIX}/static/icon-{page}.svg",
        }
        for page, title in PAGES.items()
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # Airflow only reads it
        """The pages, and the metrics; created when the API server mounts them."""
        from plugins.web import app, metrics

        return [
            {"app": app.create_app(bound=self._bound_users), "url_prefix": PREFIX, "name": "Pinwheel"},
            {"app": metrics.create_app(), "url_prefix": METRICS, "name": "Pinwheel's metrics"},
        ]

    @cached_property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:  # type: ignore[override]  # Airflow only reads it
        """Slows failed logins, keeps users who are bound to brands out of Airflow, and lets SQLite's writers queue."""
        from airflow.configuration import conf

        from plugins.web.bound import PagesOnly
        from plugins.web.one_writer import OneWriter
        from plugins.web.slow_logins import SlowLogins

        is_sqlite = str(conf.get("database", "sql_alchemy_conn")).startswith("sqlite")
        return [
            *([{"name": "Pinwheel's one writer", "middleware": OneWriter}] if is_sqlite else []),
            {"name": "Pinwheel's logins", "middleware": SlowLogins},
            {"name": "Pinwheel's pages", "middleware": PagesOnly, "kwargs": {"bound": self._bound_users}},
        ]

    @cached_property
    def _bound_users(self) -> Any:
        """Read once for the pages and for the guard of Airflow."""
        from pinwheel.core.settings import WebSettings, load
        from plugins.web import bound_users

        return bound_users.of_database(load(WebSettings))
