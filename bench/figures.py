"""The figures of docs/benchmarks.json; some of them are medians over the log of runs."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from pinwheel.local.settings import ROOT

FILE = ROOT / "docs" / "benchmarks.json"
PLAIN, TUTORIAL, FLOOR = "plain consumer", "tutorial Spark", "floor"
STEADY = ("latency", "late")  # contenders; the second with a day's events in the rollups
DATABASE = "memsql"  # its part of a run's CPU
AT_LEAST = {
    "landing.vs_plain_consumer": 3.0,
    "throughput.vs_plain_consumer": 1.3,
    "throughput.vs_tutorial_spark": 2.0,
}
AT_MOST = {
    "cpu.database_per_million": 18.0,
    "cpu.vs_plain_consumer": 1.4,
    "latency.lake.p95_s": 2.0,
    "latency.sql.p95_s": 6.0,
    "memory.stack_mb": 5000.0,
    "merge.growth_ratio": 1.15,
    "rollups.day_ratio": 1.2,
    "rollups.freshness_p95_s": 15.0,
}


@dataclass(frozen=True)
class Figure:
    """One measured number. ``baseline``: of a ratio, else ""; ``date``: ISO 8601, UTC."""

    figure: str
    value: float
    unit: str
    baseline: str
    machine: str
    date: str


def figure(name: str, value: float, unit: str, baseline: str = "") -> Figure:
    """A figure measured today on this machine."""
    return Figure(name, round(value, 3), unit, baseline, machine(), f"{datetime.now(UTC):%Y-%m-%d}")


def machine() -> str:
    """Description of this machine, without its name."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def record(figures: Iterable[Figure], file: Path = FILE) -> None:
    """Write figures to the file; they replace older ones of the same name."""
    known = _recorded(file) | {f.figure: asdict(f) for f in figures}
    ordered = [known[name] for name in sorted(known)]
    file.write_text(json.dumps({"figures": ordered}, indent=2) + "\n", encoding="utf-8")


def _recorded(file: Path) -> dict[str, dict[str, Any]]:
    return {f["figure"]: f for f in json.loads(file.read_text())["figures"]} if file.exists() else {}


def goals_table(file: Path = FILE) -> list[str]:
    """The file's figures next to their goals, as a Markdown table."""
    known = _recorded(file)
    lines = ["| figure | measured | on | goal | |", "|---|---:|---|---:|---|"]
    for name, goal in sorted((AT_LEAST | AT_MOST).items()):
        sign = "≥" if name in AT_LEAST else "≤"
        if name not in known:
            lines.append(f"| {name} | | | {sign} {goal:g} | not measured |")
            continue
        value, day = known[name]["value"], known[name]["date"]
        reached = value >= goal if name in AT_LEAST else value <= goal
        lines.append(f"| {name} | {value:g} | {day} | {sign} {goal:g} | {'reached' if reached else 'missed'} |")
    return lines


Runs = Mapping[str, list[dict[str, Any]]]


def read_runs(runs_log: Path, events: int, newest: int) -> Runs:
    """Each contender's newest runs of that size (of any size at a steady rate), without those that had wrong tables."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for line in runs_log.read_text(encoding="utf-8").splitlines() if runs_log.exists() else []:
        run = json.loads(line)
        of_size = run["events"] == events or run["contender"] in STEADY
        if of_size and not run["wrong"]:
            runs.setdefault(run["contender"], []).append(run)
    return {name: of_contender[-newest:] for name, of_contender in runs.items()}


def of_runs(runs: Runs) -> list[Figure]:
    """The figures that follow from runs of Pinwheel and the baselines; those that lack a run are left out."""
    figures = []
    for name, (value, unit, baseline) in FIGURES.items():
        try:
            figures.append(figure(name, value(runs), unit, baseline))
        except KeyError:
            continue
    return figures


def median(runs: Runs, contender: str, of: Callable[[dict[str, Any]], float]) -> float:
    """The median over a contender's runs.

    Raises:
        KeyError: there is no such run.
    """
    return statistics.median(of(run) for run in runs[contender])


def rate(run: dict[str, Any]) -> float:
    """Events per second."""
    return float(run["events"] / run["seconds"])


def cpu(run: dict[str, Any]) -> float:
    """CPU-seconds of all parts per million events."""
    return float(sum(run["cpu"].values()) / run["events"] * 1e6)


def database_cpu(run: dict[str, Any]) -> float:
    """The database's CPU-seconds per million events.

    Raises:
        KeyError: the run does not tell the database's part.
    """
    return float(run["cpu"][DATABASE] / run["events"] * 1e6)


def _ratio(contender: str, baseline: str, of: Callable[[dict[str, Any]], float]) -> Callable[[Runs], float]:
    return lambda runs: median(runs, contender, of) / median(runs, baseline, of)


def _more(contender: str, name: str) -> Callable[[Runs], float]:
    return lambda runs: median(runs, contender, lambda run: float(run["more"][name]))


FIGURES: dict[str, tuple[Callable[[Runs], float], str, str]] = {
    "throughput.events_per_s": (lambda runs: median(runs, "pinwheel", rate), "events/s", ""),
    "throughput.vs_floor": (_ratio("pinwheel", "floor", rate), "ratio", FLOOR),
    "throughput.vs_plain_consumer": (_ratio("pinwheel", "plain", rate), "ratio", PLAIN),
    "throughput.vs_tutorial_spark": (_ratio("pinwheel", "tutorial", rate), "ratio", TUTORIAL),
    "cpu.database_per_million": (lambda runs: median(runs, "pinwheel", database_cpu), "CPU-seconds", ""),
    "cpu.per_million_s": (lambda runs: median(runs, "pinwheel", cpu), "CPU-seconds", ""),
    "cpu.vs_plain_consumer": (_ratio("pinwheel", "plain", cpu), "ratio", PLAIN),
    "landing.events_per_s": (lambda runs: median(runs, "landing", rate), "events/s", ""),
    "landing.vs_plain_consumer": (_ratio("landing", "plain", rate), "ratio", PLAIN),
    "landing.batch_of_2000_s": (_more("landing", "batch_seconds"), "s", ""),
    "latency.lake.p95_s": (_more("latency", "lake_p95"), "s", ""),
    "latency.sql.p95_s": (_more("latency", "sql_p95"), "s", ""),
    "memory.driver_mb": (_more("pinwheel", "driver_mb"), "MB", ""),
    "memory.catching_up_mb": (_more("pinwheel", "stack_mb"), "MB", ""),
    "memory.stack_mb": (_more("latency", "stack_mb"), "MB", ""),
    "rollups.freshness_p95_s": (_more("late", "rollups_p95"), "s", ""),
}


def table(runs: Runs) -> list[str]:
    """The runs as a Markdown table: medians, with minimum and maximum in parentheses."""
    lines = ["| | runs | seconds | events/s | CPU-seconds per million |", "|---|---:|---:|---:|---:|"]
    for name, found in runs.items():
        cells = [_spread([of(run) for run in found]) for of in (lambda run: run["seconds"], rate, cpu)]
        lines.append(f"| {name} | {len(found)} | {' | '.join(cells)} |")
    return lines


def parts_table(runs: Runs) -> list[str]:
    """Median CPU-seconds per million events, by part, as a Markdown table."""
    lines = ["| | part | CPU-seconds per million |", "|---|---|---:|"]
    for name, found in runs.items():
        parts = {part for run in found for part in run["cpu"]}
        used = {p: statistics.median(run["cpu"].get(p, 0.0) / run["events"] * 1e6 for run in found) for p in parts}
        lines += [f"| {name} | {p} | {used[p]:.1f} |" for p in sorted(used, key=used.__getitem__, reverse=True)]
    return lines


def _spread(values: list[float]) -> str:
    digits = 0 if max(values) >= 1000 else 1
    low, middle, high = (f"{f(values):,.{digits}f}" for f in (min, statistics.median, max))
    return f"{middle} ({low}–{high})"
