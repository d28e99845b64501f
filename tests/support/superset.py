"""The dashboard for Superset in ``deploy/superset/``: its files, and the query of a chart as Superset makes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "superset"
DAY = ("2026-03-14", "2026-03-15")  # in place of a chart's period


def read(kind: str) -> dict[str, dict[str, Any]]:
    """The files of a kind (databases, datasets, charts, dashboards), by their path in the folder without suffix."""
    paths = sorted((FOLDER / kind).rglob("*.yaml"))
    return {str(path.relative_to(FOLDER).with_suffix("")): yaml.safe_load(path.read_text()) for path in paths}


def query(chart: dict[str, Any], dataset: dict[str, Any]) -> str:
    """The chart's query on the events of a day."""
    asked, known = chart["params"], {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    columns = [*filter(None, [asked.get("x_axis")]), *asked.get("groupby", []), *asked.get("all_columns", [])]
    metrics = [*asked.get("metrics", []), *filter(None, [asked.get("metric")])]
    shown = [*columns, *(f"{known[name]} AS {name}" for name in metrics)]
    parts = [f"SELECT {', '.join(shown)} FROM {dataset['table_name']}"]
    if asked["adhoc_filters"]:
        parts.append(f"WHERE {' AND '.join(map(_condition, asked['adhoc_filters']))}")
    if metrics and columns:
        parts.append(f"GROUP BY {', '.join(columns)}")
    if order := list(_order(asked, known)):
        parts.append(f"ORDER BY {', '.join(order)}")
    return " ".join([*parts, f"LIMIT {asked.get('row_limit', 1)}"])


def _condition(of: dict[str, Any]) -> str:
    if of["operator"] == "TEMPORAL_RANGE":
        return f"{of['subject']} >= '{DAY[0]}' AND {of['subject']} < '{DAY[1]}'"
    assert of["operator"] == "=="
    return f"{of['subject']} = '{of['comparator']}'"


def _order(asked: dict[str, Any], known: dict[str, str]) -> Iterator[str]:
    for column, is_up in map(json.loads, asked.get("order_by_cols", [])):
        yield f"{column} {'ASC' if is_up else 'DESC'}"
    for name in ("timeseries_limit_metric", "series_limit_metric"):
        if name in asked:
            yield f"{known[asked[name]]} DESC"
