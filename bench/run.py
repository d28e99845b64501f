"""Compares Pinwheel with the scripts that people write instead: the same events, the same machine, in turn.

    python bench/run.py --events 1000000 --runs 3

Each run starts its own stack, sends the backlog to Kafka, and measures until the last row and rollup is in the
database; then it compares every row and rollup with the truth. The contenders alternate. Results are appended to a log
of runs; the figures are medians over the runs of the same size in it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench import figures
from bench.contenders import Job, Run, as_json, floor, pinwheel, plain, tutorial
from bench.streams import landing, steady
from pinwheel.local.settings import LocalSettings

CONTENDERS: dict[str, Callable[[Job], Run]] = {
    "pinwheel": pinwheel,
    "plain": plain,
    "floor": floor,
    "tutorial": tutorial,
    "landing": landing,
    "latency": steady,
}
STEADY_EVENTS = 600_000  # 1,000 a second for ten minutes


def main() -> int:
    """Run the contenders and print the figures; returns 1 when a run's tables differ from the truth."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a stopped run leaves no stack behind
    given.runs_log.parent.mkdir(parents=True, exist_ok=True)
    wrong = _compete(given)
    runs = figures.read_runs(given.runs_log, given.events, max(given.runs, given.newest))
    print("\n".join(["", *figures.table(runs), "", *figures.parts_table(runs)]))
    if given.figures:
        figures.record(figures.of_runs(runs), given.figures)
        print("\n".join(["", *figures.goals_table(given.figures)]))
    return int(wrong > 0)


def _compete(given: argparse.Namespace) -> int:
    """Run the contenders in turn; returns how many runs had wrong tables."""
    wrong = 0
    for number in range(given.runs):
        for name in given.only:
            events = given.steady_events if name == "latency" else given.events
            run = CONTENDERS[name](
                Job(events, given.seed + number, given.paused, given.turn, given.executors, given.day)
            )
            with given.runs_log.open("a", encoding="utf-8") as file:
                file.write(as_json(run) + "\n")
            print(summary(run), flush=True)
            wrong += bool(run.wrong)
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run; each further run adds 1")
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--steady-events", type=int, default=STEADY_EVENTS, help="events of the run at 1,000/s")
    parser.add_argument("--day", type=int, default=0, help="events of today in the rollups before that run begins")
    parser.add_argument("--newest", type=int, default=3, help="newest logged runs per figure; at least --runs")
    parser.add_argument("--figures", type=Path, help="file to write the figures to; default: print only")
    parser.add_argument("--paused", choices=("control", "freeze"), default="control", help="how the stream waits")
    parser.add_argument("--executors", type=int, default=0, help="processes of the landing; 0: as in the stack")
    parser.add_argument("--turn", type=Path, help="file to lock while the clock runs")
    parser.add_argument("--runs-log", type=Path, default=LocalSettings().state_dir / "bench-runs.jsonl")
    return parser.parse_args()


def summary(run: Run) -> str:
    """A run as one line of text."""
    cpu = ", ".join(f"{part} {seconds:.1f}" for part, seconds in run.cpu.items())
    more = ", ".join(f"{name} {value:.1f}" for name, value in run.more.items())
    return (
        f"{run.contender} seed={run.seed}: {run.seconds:.1f} s, {run.rate:,.0f} events/s, "
        f"{sum(run.cpu.values()):.1f} CPU-seconds ({cpu}); {more}; wrong: {json.dumps(run.wrong)}"
    )


if __name__ == "__main__":
    sys.exit(main())
