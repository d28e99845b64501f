"""Profiles a landing task's CPU: parse, pins, places, write, commit; without Spark and Kafka.

    python bench/landing.py --events 200000

One process does the work of a Spark task on the generator's records. Pins come from ``pin_cache`` in a separate
database, and from the catalogue in place of the Pin API, without the network. The rest of a whole stream's CPU is
Spark, Arrow's transfer between JVM and Python, and Kafka.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from functools import partial

from bench.landed import Lander
from bench.meters import Cost, Meter, lines
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.core.settings import MemsqlSettings, PinLookupSettings, StreamSettings, load
from pinwheel.lake import events_table
from pinwheel.lake.files import FileWriter
from pinwheel.lake.landing import Landing
from spark_jobs.transforms.enrich import with_pins, with_places

ALL = "landing"


def main() -> int:
    """Print the table."""
    given = _arguments()
    with database("bench-landing") as (settings, server), tempfile.TemporaryDirectory() as folder:
        migrations.apply(settings)
        meter = Meter(server)
        of_pins = PinLookupSettings(**settings.model_dump(include=set(MemsqlSettings.model_fields)))
        lander = Lander(given.events, given.seed, connect=partial(memsql.connect, of_pins, local_infile=True))
        uri = f"{folder}/lake"
        events_table.create_table(f"{uri}/events")
        for _ in range(2):  # the first half is the warm-up
            meter.steps.clear()
            profile(lander, Landing(f"{uri}/events", "bench"), given.events // 2, given.batch, meter)
        report(meter, given.events // 2)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=400_000, help="the first half is the warm-up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=load(StreamSettings).max_offsets_per_trigger)
    return parser.parse_args()


def profile(lander: Lander, landing: Landing, events: int, batch: int, meter: Meter) -> None:
    """Land events and measure each step."""
    for start in range(0, events, batch):
        writer = FileWriter(landing.uri)
        for records in lander.records(min(batch, events - start)):
            with meter.step(ALL, "parse"):
                rows = lander.parser.parse(records)
            with meter.step(ALL, "pins"):
                rows = with_pins(rows, lander.pins)
            with meter.step(ALL, "places"):
                rows = with_places(rows, lander.locator)
            with meter.step(ALL, "write"):
                writer.write(rows)
        with meter.step(ALL, "write"):
            files = writer.close()
        with meter.step(ALL, "commit"):
            landing.commit(files)


def report(meter: Meter, events: int) -> None:
    """Print the CPU of each step, and the total per million events."""
    whole: dict[str, Cost] = defaultdict(Cost)
    for cost in meter.steps.values():
        whole["all"].add(cost)
    print("| | step | times | seconds | CPU own | CPU database |\n|---|---|---:|---:|---:|---:|")
    print("\n".join(lines(meter.steps)))
    used = whole["all"].own + whole["all"].database
    print(f"{events:,} events, {used:.2f} CPU-seconds: {used / events * 1e6:.1f} per million")


if __name__ == "__main__":
    sys.exit(main())
