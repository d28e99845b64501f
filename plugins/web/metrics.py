"""The pipeline's metrics in the format of Prometheus, in an app of their own: a scraper has no login to Airflow.

It needs ``Authorization: Bearer <PINWHEEL_METRICS_TOKEN>``; without that setting, nobody gets in. Everything is read
when it is asked for: what watch_health measured last, the open alerts, and the flow as the health page shows it.
"""

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from pinwheel.alerts.listing import open_alerts
from pinwheel.clients.memsql import Row
from pinwheel.core.settings import WebSettings, load
from pinwheel.core.times import aware
from pinwheel.operate import flow_sources
from pinwheel.operate.flow_types import Flow
from plugins.web import errors
from plugins.web.access import SettingsDep
from plugins.web.database import Pool, PoolDep
from plugins.web.headers import SecurityHeaders

BEARER = "Bearer "


def create_app(settings: WebSettings | None = None) -> FastAPI:
    """The app, with one route."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(is_scraper)])
    app.state.settings = settings or load(WebSettings)
    app.state.pool = Pool(app.state.settings)
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    app.add_api_route("/", metrics, methods=["GET"])
    return app


def is_scraper(settings: SettingsDep, authorization: Annotated[str, Header()] = "") -> None:
    """401 for everybody without the token, compared in constant time."""
    token = settings.metrics_token.get_secret_value()
    given = authorization.removeprefix(BEARER).encode() if authorization.startswith(BEARER) else b""
    if not token or not hmac.compare_digest(given, token.encode()):
        raise HTTPException(401, "Give the token PINWHEEL_METRICS_TOKEN as Authorization: Bearer.")


def metrics(request: Request, settings: SettingsDep, pool: PoolDep) -> Response:
    """All metrics. 503 while the reporting database is away: then Prometheus's own ``up`` is 0."""
    with pool.connection() as connection:
        measures, alerts = flow_sources.latest_measures(connection), open_alerts(connection)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read([*of_measures(measures), *of_alerts(alerts), *of_flow(_flow(settings, pool))]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _flow(settings: WebSettings, pool: Pool) -> Flow:
    return flow_sources.look(settings, pool.connection, datetime.now(UTC))


class _Read:
    """Metrics that are read already, as a registry wants them."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        """All of them."""
        return self._found


def of_measures(rows: list[Row]) -> Iterator[Metric]:
    """A gauge per measure of watch_health by subject, its limit, whether it is well, and when it was measured."""
    gauges: dict[str, GaugeMetricFamily] = {}
    limit = GaugeMetricFamily("pinwheel_limit", "What is allowed of a measure", labels=["measure", "subject"])
    well = GaugeMetricFamily("pinwheel_well", "1: within its limit", labels=["measure", "subject"])
    measured = GaugeMetricFamily("pinwheel_measured_timestamp_seconds", "When watch_health last measured")
    for row in rows:
        name, subject = row["measure"], row["subject"]
        help_ = f"Measure {name} of watch_health, see docs/runbooks/watch_health.md"
        gauge = gauges.setdefault(name, GaugeMetricFamily(f"pinwheel_{name}", help_, labels=["subject"]))
        if row["value"] is not None:
            gauge.add_metric([subject], row["value"])
        if row["max_value"] is not None:
            limit.add_metric([name, subject], row["max_value"])
        well.add_metric([name, subject], row["is_well"])
    times = [at.timestamp() for row in rows if (at := aware(row["measured_at"]))]
    if times:
        measured.add_metric([], max(times))
    yield from (*gauges.values(), limit, well, measured)


def of_alerts(rows: list[Row]) -> Iterator[Metric]:
    """The open alerts, by name, subject and severity: since when, in Unix seconds."""
    gauge = GaugeMetricFamily(
        "pinwheel_alert_open_since_timestamp_seconds",
        "When an alert that is open was raised",
        labels=["name", "subject", "severity"],
    )
    for row in rows:
        raised = aware(row["raised_at"])
        if raised is not None:
            gauge.add_metric([row["name"], row["subject"], row["severity"]], raised.timestamp())
    yield gauge


def of_flow(flow: Flow) -> Iterator[Metric]:
    """Rates, ages and backlogs by step; how far each table is; the driver."""
    rate = GaugeMetricFamily("pinwheel_step_rows_per_second", "Rows per second of a step", labels=["step"])
    age = GaugeMetricFamily("pinwheel_step_newest_age_seconds", "Age of a step's newest data", labels=["step"])
    backlog = GaugeMetricFamily("pinwheel_step_backlog", "What waits for a step, in its own unit", labels=["step"])
    through = GaugeMetricFamily("pinwheel_complete_through_age_seconds", "Age of what a table has", labels=["table"])
    driver = GaugeMetricFamily("pinwheel_driver_running", "1: the stream's driver runs")
    for step in flow.steps:
        known = ((rate, step.rows_per_second), (age, step.newest_age_seconds), (backlog, step.backlog))
        for gauge, value in known:
            if value is not None:
                gauge.add_metric([step.name], value)
    for table in flow.tables:
        if table.age_seconds is not None:
            through.add_metric([table.table], table.age_seconds)
    driver.add_metric([], float(flow.driver.state == "running"))
    yield from (rate, age, backlog, through, driver)
