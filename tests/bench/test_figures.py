"""The file of figures, and how runs become figures."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bench import figures
from bench.figures import FILE, Figure

FIELDS = {"figure": str, "value": float, "unit": str, "baseline": str, "machine": str, "date": str}


def run(contender: str, seconds: float, cpu: float, **more: float) -> dict[str, Any]:
    return {
        "contender": contender,
        "events": 1000,
        "seed": 1,
        "seconds": seconds,
        "cpu": {"program": cpu},
        "wrong": {},
        "more": more,
    }


def book(folder: Path, *runs: dict[str, Any]) -> Path:
    path = folder / "runs.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in runs))
    return path


@pytest.mark.skipif(not FILE.exists(), reason="nothing was measured yet")
def test_every_figure_in_the_file_has_its_fields() -> None:
    found = json.loads(FILE.read_text())
    assert list(found) == ["figures"]
    assert found["figures"], "an empty file says nothing"
    names = [f["figure"] for f in found["figures"]]
    assert names == sorted(set(names))
    for f in found["figures"]:
        assert {k: type(v) for k, v in (f | {"value": float(f["value"])}).items()} == FIELDS
        assert math.isfinite(f["value"])
        date.fromisoformat(f["date"])


def test_a_ratio_is_of_medians_and_wrong_runs_do_not_count(tmp_path: Path) -> None:
    wrong = run("pinwheel", 1, 1) | {"wrong": {"repins": 3}}
    other_size = run("plain", 1, 1) | {"events": 7}
    runs = figures.read_runs(
        book(tmp_path, *(run("pinwheel", s, 30) for s in (5, 10, 90)), run("plain", 20, 20), wrong, other_size), 1000, 3
    )

    found = {f.figure: f.value for f in figures.of_runs(runs)}

    assert found["throughput.vs_plain_consumer"] == 2.0
    assert found["cpu.vs_plain_consumer"] == 1.5
    assert found["throughput.events_per_s"] == 100.0
    assert "throughput.vs_tutorial_spark" not in found, "nobody has run it"


def test_the_floor_is_compared_by_throughput(tmp_path: Path) -> None:
    runs = figures.read_runs(book(tmp_path, run("pinwheel", 20, 30), run("floor", 5, 1)), 1000, 3)

    found = {f.figure: (f.value, f.baseline) for f in figures.of_runs(runs)}

    assert found["throughput.vs_floor"] == (0.25, "floor")


def test_the_databases_cpu_is_its_part_alone(tmp_path: Path) -> None:
    whole = run("pinwheel", 20, 30) | {"cpu": {"memsql": 0.02, "driver JVM": 0.5}}

    found = {f.figure: f.value for f in figures.of_runs(figures.read_runs(book(tmp_path, whole), 1000, 3))}

    assert found["cpu.database_per_million"] == 20.0


def test_without_the_databases_part_there_is_no_figure_of_it(tmp_path: Path) -> None:
    runs = figures.read_runs(book(tmp_path, run("pinwheel", 20, 30)), 1000, 3)
    assert "cpu.database_per_million" not in {f.figure for f in figures.of_runs(runs)}


def test_goals_are_reached_missed_or_not_measured(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    values = {
        "throughput.vs_plain_consumer": 1.3,
        "landing.vs_plain_consumer": 2.9,
        "merge.growth_ratio": 1.15,
        "rollups.day_ratio": 1.3,
    }
    figures.record([Figure(name, value, "ratio", "", "machine", "2026-01-01") for name, value in values.items()], file)

    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in figures.goals_table(file)[2:]]
    told = {name: (goal, verdict) for name, _, _, goal, verdict in rows}

    assert told["throughput.vs_plain_consumer"] == ("≥ 1.3", "reached")
    assert told["landing.vs_plain_consumer"] == ("≥ 3", "missed")
    assert told["merge.growth_ratio"] == ("≤ 1.15", "reached")
    assert told["rollups.day_ratio"] == ("≤ 1.2", "missed")
    assert told["rollups.freshness_p95_s"] == ("≤ 15", "not measured")


def test_only_the_newest_runs_count(tmp_path: Path) -> None:
    runs = figures.read_runs(book(tmp_path, *(run("plain", s, 1) for s in (1, 2, 3, 4))), 1000, 2)
    assert [r["seconds"] for r in runs["plain"]] == [3, 4]


def test_a_new_figure_takes_the_old_ones_place(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    old, other = (Figure(name, 1.0, "s", "", "machine", "2026-01-01") for name in ("b", "a"))
    figures.record([old, other], file)
    figures.record([Figure("b", 2.0, "s", "", "machine", "2026-01-02")], file)

    found = json.loads(file.read_text())["figures"]
    assert [(f["figure"], f["value"]) for f in found] == [("a", 1.0), ("b", 2.0)]
