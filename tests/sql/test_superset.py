"""The dashboard for Superset: its files refer to each other and to the real views, and its queries run."""

import re
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from sqlalchemy import make_url

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from tests.support import superset
from tests.support.sql_examples import day
from tests.support.types import MergeEvents, Query

KINDS = ("databases", "datasets", "charts", "dashboards")
DATABASES, DATASETS, CHARTS, DASHBOARDS = (superset.read(kind) for kind in KINDS)
FILES = DATABASES | DATASETS | CHARTS | DASHBOARDS
OF = {dataset["uuid"]: dataset for dataset in DATASETS.values()}
# On a day without a trend and without a held slice, whose slices were read when the test ran.
EMPTY = {"charts/Trending", "charts/Waiting_slices", "charts/Rows_left_out"}


@pytest.mark.parametrize("name", FILES)
def test_a_uuid_stays_that_of_its_file(name: str) -> None:
    """Superset knows a chart or dataset that it has by its uuid: with another one it would be there twice."""
    assert FILES[name]["uuid"] == str(uuid5(NAMESPACE_URL, f"pinwheel/superset/{name}.yaml"))
    assert FILES[name]["version"] == "1.0.0"


def test_every_reference_is_to_a_file_and_every_file_is_used() -> None:
    (dashboard,) = DASHBOARDS.values()
    (database,) = DATABASES.values()
    position = dashboard["position"]
    placed = [part["meta"]["uuid"] for part in position.values() if isinstance(part, dict) and part["type"] == "CHART"]
    assert sorted(placed) == sorted(chart["uuid"] for chart in CHARTS.values())
    assert {dataset["database_uuid"] for dataset in DATASETS.values()} == {database["uuid"]}
    assert {chart["dataset_uuid"] for chart in CHARTS.values()} == OF.keys()
    targets = [
        target for f in dashboard["metadata"]["native_filter_configuration"] for target in f["targets"] if target
    ]
    assert all(target["column"]["name"] in columns(OF[target["datasetUuid"]]) for target in targets)
    assert targets


def test_every_part_of_the_dashboard_is_in_its_tree() -> None:
    (dashboard,) = DASHBOARDS.values()
    parts = {name: part for name, part in dashboard["position"].items() if isinstance(part, dict)}
    children = [child for part in parts.values() for child in part.get("children", [])]
    assert sorted(children) == sorted(parts.keys() - {"ROOT_ID", "HEADER_ID"})
    for name, part in parts.items():
        assert part["id"] == name
        assert [child for child in part.get("children", []) if parts[child]["parents"][-1] != name] == []


def test_a_filter_leaves_out_the_charts_that_it_does_not_apply_to() -> None:
    (dashboard,) = DASHBOARDS.values()
    metas = [part["meta"] for part in dashboard["position"].values() if isinstance(part, dict) and "meta" in part]
    ids = {meta["uuid"]: meta["chartId"] for meta in metas if "uuid" in meta}
    period, brand = dashboard["metadata"]["native_filter_configuration"]
    timeless = {ids[chart["uuid"]] for chart in CHARTS.values() if "TEMPORAL_RANGE" not in str(chart["params"])}
    brandless = {ids[c["uuid"]] for c in CHARTS.values() if "brand_name" not in columns(OF[c["dataset_uuid"]])}
    assert set(period["scope"]["excluded"]) == timeless
    assert set(brand["scope"]["excluded"]) == brandless


def test_hours_and_days_are_the_views_own() -> None:
    """Superset's own grain of an hour doubled the hours: its SQL adds the hour to a time that has it already."""
    grains = {name: chart["params"]["time_grain_sqla"] for name, chart in CHARTS.items() if "x_axis" in chart["params"]}
    assert {name: grain for name, grain in grains.items() if grain} == {"charts/Rows_left_out": "P1D"}


def test_it_connects_as_the_analyst_and_asks_for_the_password() -> None:
    (database,) = DATABASES.values()
    url = make_url(database["sqlalchemy_uri"])
    assert (url.username, url.password) == ("pinwheel_analyst", "XXXXXXXXXX"), "Superset's mask: its import asks"
    assert not any(database[name] for name in ("allow_dml", "allow_ctas", "allow_cvas", "allow_csv_upload"))


@pytest.mark.parametrize("name", DATASETS)
def test_the_columns_of_a_dataset_are_those_of_the_view(name: str, analyst: Connection) -> None:
    with analyst.cursor() as cursor:
        cursor.execute("SELECT * FROM data_dictionary WHERE table_name = %(t)s", {"t": DATASETS[name]["table_name"]})
        view = {row["column_name"]: (row["column_type"], row["meaning"]) for row in cursor.fetchall()}
    told = DATASETS[name]["columns"]
    assert {column["column_name"]: (column["type"], column["description"]) for column in told} == {
        column: (re.sub(r"\W.*", "", kind).upper(), meaning) for column, (kind, meaning) in view.items()
    }
    assert [c["column_name"] for c in told if c["is_dttm"] != (c["type"] in ("DATE", "DATETIME"))] == []
    assert DATASETS[name]["main_dttm_col"] in {None, *view}
    assert DATASETS[name]["sql"] is None


@pytest.mark.parametrize("name", CHARTS)
def test_an_analyst_may_run_a_chart_s_query(name: str, analyst: Connection) -> None:
    chart, dataset = CHARTS[name], OF[CHARTS[name]["dataset_uuid"]]
    assert chart["viz_type"] == chart["params"]["viz_type"]
    assert subjects(chart) <= columns(dataset), "MariaDB would find these in no view"
    with analyst.cursor() as cursor:
        cursor.execute(superset.query(chart, dataset))
        cursor.fetchall()


@pytest.mark.parametrize("name", DATASETS)
def test_every_metric_of_a_dataset_is_computed(name: str, analyst: Connection) -> None:
    with analyst.cursor() as cursor:
        for metric in DATASETS[name]["metrics"]:
            cursor.execute(f"SELECT {metric['expression']} AS found FROM {DATASETS[name]['table_name']}")
            assert len(cursor.fetchall()) == 1, metric["metric_name"]


def test_the_charts_show_the_day_s_numbers(merged: MergeEvents, connection: Connection, query: Query) -> None:
    memsql.execute(connection, "generate/upsert_brands", {"brand_id": 1, "name": "Copper Kitchen", "contact": None})
    connection.commit()
    merged(day())
    found = {name: query(superset.query(chart, OF[chart["dataset_uuid"]])) for name, chart in CHARTS.items()}
    assert {name for name, rows in found.items() if not rows} == EMPTY
    # docs/sql.md shows the same.
    assert found["charts/Engagement"] == [{"total_engagement": 14}]
    top = {row["title"]: row["total_engagement"] for row in found["charts/Top_pins"][:2]}
    assert top == {"Lemon cake": 5, "A pond in a barrel": 5}
    assert found["charts/Countries"][0]["country_code"] == "NL"
    people = {row["brand_name"]: row["people"] for row in found["charts/Brand_people_per_day"]}
    assert people["Copper Kitchen"] == 6, "exact, not a sum of hours"


def columns(dataset: dict[str, Any]) -> set[str]:
    return {column["column_name"] for column in dataset["columns"]}


def subjects(chart: dict[str, Any]) -> set[str]:
    asked = chart["params"]
    named = {*filter(None, [asked.get("x_axis")]), *asked.get("groupby", []), *asked.get("all_columns", [])}
    return named | {of["subject"] for of in asked["adhoc_filters"]}
