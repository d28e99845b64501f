"""The metrics: their token, their format, and that the dashboard and the rules name real ones."""

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from pinwheel.core.settings import WebSettings
from pinwheel.operate import flow_sources
from pinwheel.operate.flow_types import Driver, Flow, Step, TableProgress
from pinwheel.operate.sentences import KINDS
from tests.support.pages import ROOT

AT = datetime(2026, 3, 14, 12, 0)
TOKEN = {"Authorization": "Bearer hush"}
GRAFANA = ROOT / "deploy" / "grafana"
ODD = 'p "1"\\\n{}'


def measure(name: str, subject: str, value: float | None, limit: float | None = None) -> dict[str, Any]:
    found = {"measure": name, "subject": subject, "value": value, "max_value": limit}
    return {**found, "is_well": int(limit is None or (value is not None and value <= limit)), "measured_at": AT}


MEASURES = [
    *(measure(name, "x", 5, 10) for name in KINDS),
    measure("lag_records", ODD, 123, 100),
    measure("kafka_age_seconds", "partition 0", None),
]
ALERTS = [{"name": "slice_held", "subject": ODD, "severity": "critical", "raised_at": AT}]
STEP = Step(name="lake", title="Lake", dag="d", backlog_unit="b", rows_per_second=10, newest_age_seconds=1, backlog=2)
TABLE = TableProgress(
    table="pins",
    complete_through=None,
    age_seconds=3,
    rows_per_second=None,
    versions_behind=None,
    slices_open=0,
    held_slices=0,
    merged_at=None,
)


@pytest.fixture
def client(tokens: dict[str, str], settings: WebSettings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TestClient]:
    from plugins.web import metrics

    driver = Driver(state="running", since=None, failures=0, restarts_today=0)
    flow = Flow(now=AT, measured_at=AT, away=[], steps=[STEP], lags=[], driver=driver, tables=[TABLE])
    monkeypatch.setattr(flow_sources, "look", lambda *_: flow)
    monkeypatch.setattr(flow_sources, "latest_measures", lambda _: MEASURES)
    monkeypatch.setattr(metrics, "open_alerts", lambda _: ALERTS)

    def make(token: str = "hush", is_away: bool = False) -> TestClient:
        app = metrics.create_app(settings.model_copy(update={"metrics_token": SecretStr(token)}))
        if not is_away:
            app.state.pool._make = lambda: None
            monkeypatch.setattr("plugins.web.database.Pool.connection", lambda _: nullcontext())
        return TestClient(app, raise_server_exceptions=False)

    return make


def values(client: TestClient) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/", headers=TOKEN)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (s.name, tuple(v for _, v in sorted(s.labels.items()))): s.value for family in families for s in family.samples
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer hus"},
        {"Authorization": "hush"},
        {"Cookie": "_token=x"},
    ],
)
def test_without_the_token_nobody_gets_in(client: Callable[..., TestClient], headers: dict[str, str]) -> None:
    for token in ("hush", ""):
        answer = client(token).get("/", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signed_out")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_without_the_database_it_says_so(client: Callable[..., TestClient]) -> None:
    answer = client(is_away=True).get("/", headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "memsql_away")


def test_every_measure_alert_and_step_is_there(client: Callable[..., TestClient]) -> None:
    found = values(client())
    assert found["pinwheel_lag_records", (ODD,)] == 123
    assert found["pinwheel_limit", ("lag_records", ODD)] == 100
    assert (found["pinwheel_well", ("lag_records", ODD)], found["pinwheel_well", ("lag_records", "x")]) == (0, 1)
    assert not [key for key in found if key[0] == "pinwheel_kafka_age_seconds"], "unknown is no number"
    assert found["pinwheel_measured_timestamp_seconds", ()] == 1773489600
    assert found["pinwheel_alert_open_since_timestamp_seconds", ("slice_held", "critical", ODD)] == 1773489600
    assert found["pinwheel_step_rows_per_second", ("lake",)] == 10
    assert found["pinwheel_complete_through_age_seconds", ("pins",)] == 3
    assert found["pinwheel_driver_running", ()] == 1
    assert {f"pinwheel_{name}" for name in KINDS} <= {name for name, _ in found}


def test_dashboard_and_rules_name_real_metrics_and_runbooks(client: Callable[..., TestClient]) -> None:
    there = {name for name, _ in values(client())}
    dashboard = json.loads((GRAFANA / "pinwheel.json").read_text())
    rules = [
        rule for group in yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"] for rule in group["rules"]
    ]
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = {name for expr in (*asked, *(rule["expr"] for rule in rules)) for name in re.findall(r"pinwheel_\w+", expr)}
    assert len(named) > 8
    assert named - there == set()
    limits = {name for expr in asked for name in re.findall(r'measure="(\w+)"', expr)}
    assert limits <= KINDS.keys()
    assert [rule["alert"] for rule in rules if not Path(ROOT, rule["annotations"]["runbook"]).exists()] == []
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
