"""The benchmark itself on a few events: it starts its stacks, measures, and finds every row as it was sent."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
FEW = 3000


@pytest.mark.usefixtures("starts_stacks", "starts_jvm")
def test_the_consumers_and_the_landing_run_and_are_right(tmp_path: Path) -> None:
    runs_log, figures = tmp_path / "runs.jsonl", tmp_path / "figures.json"
    words = ("--events", str(FEW), "--runs", "1", "--only", "plain", "floor", "landing")
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *words, "--runs-log", str(runs_log), "--figures", str(figures)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    runs = {run["contender"]: run for run in map(json.loads, runs_log.read_text().splitlines())}
    assert set(runs) == {"plain", "floor", "landing"}
    for run in runs.values():
        assert run["events"] == FEW
        assert run["wrong"] == {}
        assert run["seconds"] > 0
    assert runs["plain"]["cpu"]["program"] > 0
    assert runs["floor"]["cpu"]["program"] > 0
    assert runs["landing"]["cpu"]["driver Python"] > 0
    found = {f["figure"]: f["value"] for f in json.loads(figures.read_text())["figures"]}
    assert found["landing.vs_plain_consumer"] > 0


@pytest.mark.usefixtures("starts_memsql")
def test_the_merge_is_told_by_step_and_by_statement(tmp_path: Path) -> None:
    words = ("--events", "5000", "--batch", "5000", "--least-seconds", "0", "--lakes", str(tmp_path))
    done = subprocess.run([sys.executable, str(BENCH / "merge.py"), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("| 1 prepare | 8 |", "| 2 judge | 4 |", "| 3 merge | 4 |", "| 4 roll up | 1 |", "| LOAD repins | 1 |"):
        assert line in done.stdout
