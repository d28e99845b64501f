"""A campaign of faults: `make run` under a known input, programs that die and hang by a seed, then an oracle's verdict.

    make faults ARGS="--seed 1 --faults 20 --events 50000"

A fault is healed when everything that Kafka received after it is in all tables and in the rollups. At the end each
committed record must be in the lake once, each event that was sent must be in its table once, and each rollup must
equal its recount. A campaign that fails is repeated by the same command; ``--only 3,7`` keeps those of its faults, and
``--shrink`` finds the fewest that still fail.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from statistics import median

from pinwheel.core.contract import TABLES
from pinwheel.core.times import aware, utc_now
from pinwheel.local.stack import GENERATOR
from tests.support.airflow_client import Airflow
from tests.support.campaign import clock
from tests.support.campaign.inject import Injector
from tests.support.campaign.plan import LONGEST, SET, Fault, fewest, plan
from tests.support.campaign.transactions import ABORTED, Transactions
from tests.support.campaign.world import PINWHEEL, World, running
from tests.support.late_pins import complete_all
from tests.support.oracle import Oracle, wait_until
from tests.support.programs import PRODUCE

RATE = 300
HEALED_SECONDS = 300.0  # then the campaign ends
MOST_SECONDS, P95_SECONDS = 150.0, 60.0  # what the campaign allows a fault to take
FEW = 20  # of fewer moments one in twenty is none
QUIET_SECONDS = 2.0  # between two faults
THROUGH = "SELECT MIN(complete_through_utc) AS through, COUNT(*) AS known FROM complete_through"


class Campaign:
    """One run of the whole stack."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.oracle = Oracle(world.stack)
        self.truth = world.settings.stack_dir / "truth"
        self.injector = Injector(world.stack, world.network, world.armed, seed)

    def through(self, moment: float) -> bool:
        """Whether all that Kafka received until a moment, in Unix seconds, is in all tables and rollups."""
        with suppress(Exception):  # the database may be what is down
            (row,) = self.oracle.query(THROUGH)
            return bool(row["known"]) and aware(row["through"]).timestamp() > moment
        return False

    def suffer(self, fault: Fault) -> float:
        """Let a fault happen; returns the seconds until what Kafka received a second after it has come through."""
        time.sleep(QUIET_SECONDS)
        over = self.injector.inject(fault)
        self.world.keep_running({*fault.victims, *fault.dying})
        wait_until("everything is merged again", lambda: self.through(over + 1), HEALED_SECONDS)
        seconds = time.time() - over
        who = ", ".join((*fault.victims, *fault.dying))
        print(f"{utc_now():%H:%M:%S} {fault.number:3} {fault.kind} ({who}): {seconds:.1f} s", flush=True)
        return seconds

    def judge(self) -> None:
        """Wait for quiet, then compare everything.

        Raises:
            AssertionError: something is lost, twice, or unexplained.
        """
        self.world.stack.owned(GENERATOR).stop()
        self.oracle.settle()
        complete_all(self.oracle, Airflow(self.world.stack))
        self.oracle.check_arrived(self.truth, self.seed)
        for table in TABLES:
            assert not self.oracle.query(f"SELECT 1 FROM {table} WHERE event_id LIKE '{ABORTED}%' LIMIT 1"), table
        books = subprocess.run((*PINWHEEL, "books"), capture_output=True, text=True, check=False)
        assert books.returncode == 0, books.stdout + books.stderr


def run(seed: int, faults: Sequence[Fault], events: int) -> dict[str, list[float]]:
    """One campaign; returns the seconds until it was healed, by kind of fault.

    Raises:
        AssertionError: something is lost, twice, unexplained, or was not healed.
    """
    with running("faults") as world:
        campaign = Campaign(world, seed)
        campaign.injector.keep_checkpoint()
        words = ("--truth-dir", str(campaign.truth), "--seed", str(seed), "--rate", str(RATE), "--count", "0")
        producer = subprocess.Popen((*PRODUCE, *words), stderr=subprocess.DEVNULL)
        try:
            began, healed = time.monotonic(), defaultdict(list)
            with Transactions(campaign.oracle.kafka) as sent:
                first = time.time() + 5
                wait_until("the first events are merged", lambda: campaign.through(first))
                for fault in faults:
                    healed[fault.kind].append(campaign.suffer(fault))
                time.sleep(max(0.0, events / RATE - (time.monotonic() - began)))
            assert sent.committed, "no transaction was committed"
            assert sent.aborted, "no transaction was aborted"
            assert producer.poll() is None, "events flow until the end"
        finally:
            producer.terminate()
            assert producer.wait(60) == 0
        campaign.judge()
    return dict(healed)


def table(healed: dict[str, list[float]]) -> str:
    """The figures as Markdown."""
    lines = ["| fault | times | healed after, median | most |", "|---|---:|---:|---:|"]
    for kind, found in sorted(healed.items()):
        lines.append(f"| {kind} | {len(found)} | {median(found):.0f} s | {max(found):.0f} s |")
    every = [seconds for found in healed.values() for seconds in found]
    p95, most = worst(healed)
    lines.append(f"| all | {len(every)} | {median(every):.0f} s, p95 {p95:.0f} s | {most:.0f} s |")
    return "\n".join(lines)


def worst(healed: dict[str, list[float]]) -> tuple[float, float]:
    """The 95th percentile of the seconds, and the most."""
    every = sorted(seconds for found in healed.values() for seconds in found)
    return every[int(len(every) * 0.95)], every[-1]


def main() -> int:
    """Returns 1 if something is lost, twice or unexplained, or healed too late."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=20, help="at least so many")
    parser.add_argument("--events", type=int, default=50_000, help="at least so many are sent")
    parser.add_argument("--longest", type=float, default=LONGEST, help="seconds of what hangs, is cut off, or is full")
    parser.add_argument("--only", help="numbers of the faults, separated by commas")
    parser.add_argument("--shrink", action="store_true", help="if it fails, find the fewest faults that fail")
    asked = parser.parse_args()
    faults = plan(asked.seed, asked.faults, asked.longest)
    if asked.only:
        numbers = {int(number) for number in asked.only.split(",")}
        faults = [fault for fault in faults if fault.number in numbers]
    if any(fault.way == SET for fault in faults):
        clock.begin()
        faults = [fault for fault in faults if fault.way != SET or clock.is_settable()]

    def fails(some: list[Fault]) -> bool:
        try:
            run(asked.seed, some, asked.events)
        except AssertionError as error:
            print(error)
            return True
        return False

    try:
        healed = run(asked.seed, faults, asked.events)
    except AssertionError:
        if not asked.shrink:
            raise
        print(f"--only {','.join(str(fault.number) for fault in fewest(faults, fails))}")
        return 1
    print(table(healed))
    print(json.dumps({"seed": asked.seed, "faults": sum(fault.count for fault in faults), "times": len(faults)}))
    p95, most = worst(healed)
    return int(most > MOST_SECONDS or (p95 > P95_SECONDS and len(faults) >= FEW))


if __name__ == "__main__":
    sys.exit(main())
