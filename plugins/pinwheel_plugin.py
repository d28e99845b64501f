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
            {"app": app.create_app(), "url_prefix": PREFIX, "name": "Pinwheel"},
            {"app": metrics.create_app(), "url_prefix": METRICS, "name": "Pinwheel's metrics"},
        ]

    @cached_property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:  # type: ignore[override]  # Airflow only reads it
        """Slows failed logins, and keeps people who are bound to brands out of Airflow itself."""
        from pinwheel.core.settings import WebSettings, load
        from plugins.web.bound import PagesOnly
        from plugins.web.slow_logins import SlowLogins

        found: list[dict[str, Any]] = [{"name": "Pinwheel's logins", "middleware": SlowLogins}]
        if bound := load(WebSettings).brand_users:
            found.append({"name": "Pinwheel's pages", "middleware": PagesOnly, "kwargs": {"bound": bound}})
        return found
