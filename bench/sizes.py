"""Measures whether landing costs more with many lake versions, or with many pins in the cache.

    python bench/sizes.py --versions 10 10000 --pins 10000 10000000

Versions: the stream's own writer writes and commits micro-batches of 2,000 rows to a lake with that many commits in
its log, none cleaned up. Pins: a worker with an empty cache looks up 10,000 pins and saves 5,000 changed ones in a
pin_cache of that size. Medians; CPU of this process and of the database.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa

from bench.compaction import Batches, land
from bench.meters import Meter
from bench.servers import database
from pinwheel.clients import memsql, migrations
from pinwheel.core.contract import PIN_VERSION
from pinwheel.core.settings import MemsqlSettings, PinLookupSettings
from pinwheel.core.times import EPOCH
from pinwheel.enrich.pin_sources import VERSION_TYPES
from pinwheel.enrich.pins import PINS_SCHEMA, PinLookup
from pinwheel.lake import events_table
from pinwheel.lake.landing import Landing

TIMES = 15
ROWS_PER_TYPE = 500  # of four types
FEW_ROWS = 1  # of each type, in the commits that only lengthen the log
ASKED, SAVED = 10_000, 5_000
FILL_SECONDS = 3600.0
FILL = """
    INSERT INTO pin_cache (pin_id, creator_id, board_id, brand_id, category, title, description, image_url)
    SELECT seq, 1 + seq %% 100000, seq %% 800000, IF(seq %% 5 < 2, 1 + seq %% 500, NULL), 'travel',
        CONCAT('A pin of the bench, number ', seq), REPEAT('so nice ', 10), 'https://images.example/1.jpg'
    FROM seq_1_to_{pins}
"""


def main() -> int:
    """Print a table for each of the two."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--versions", type=int, nargs="*", default=[10, 10_000])
    parser.add_argument("--pins", type=int, nargs="*", default=[10_000, 10_000_000])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.versions:
        print("| versions | a micro-batch of 2,000: seconds | CPU-seconds |\n|---:|---:|---:|")
        for versions in given.versions:
            print(f"| {versions:,} | {' | '.join(f'{s:.3f}' for s in landing(versions, given.seed))} |", flush=True)
    if given.pins:
        print(
            "| pins | look up 10,000: CPU own | database | save 5,000: CPU own | database |\n|---:|---:|---:|---:|---:|"
        )
        for pins in given.pins:
            print(f"| {pins:,} | {' | '.join(f'{s:.2f}' for s in looking_up(pins, given.seed))} |", flush=True)
    return 0


def landing(versions: int, seed: int) -> tuple[float, float]:
    """Median seconds and CPU-seconds of a micro-batch on a lake with that many versions."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"{folder}/lake/events"
        events_table.create_table(uri)
        writer, now = Landing(uri, "bench"), datetime.now(UTC)
        few, full = Batches(FEW_ROWS, seed), Batches(ROWS_PER_TYPE, seed)
        for n in range(versions):
            land(writer, few.make(now + timedelta(seconds=n)))
        full.skip(few)
        took = []
        for n in range(TIMES):
            rows = full.make(now + timedelta(seconds=n))
            began = time.monotonic(), time.process_time()
            land(writer, rows)
            took.append((time.monotonic() - began[0], time.process_time() - began[1]))
    return statistics.median(s for s, _ in took), statistics.median(c for _, c in took)


def looking_up(pins: int, seed: int) -> tuple[float, float, float, float]:
    """Median CPU-seconds, own and the database's, of looking pins up, and of saving changed ones."""
    with database(f"bench-pins-{pins}") as (settings, server):
        migrations.apply(settings)
        with memsql.connect(settings, statement_seconds=FILL_SECONDS) as connection, connection.cursor() as cursor:
            cursor.execute(FILL.format(pins=pins).replace("%%", "%"))
            connection.commit()
        meter, rng = Meter(server), np.random.default_rng(seed)
        meter.settle(FILL_SECONDS)
        of_pins = PinLookupSettings(**settings.model_dump(include=set(MemsqlSettings.model_fields)))
        for n in range(TIMES):
            wanted = pa.array(1 + rng.choice(pins, ASKED, replace=False))
            lookup = PinLookup(of_pins, connect=partial(memsql.connect, of_pins, local_infile=True))
            with meter.step(f"{n}", "look up"):
                lookup.find(wanted)
            with meter.step(f"{n}", "save"):
                lookup.save(_changed(wanted[:SAVED], n))
        both = ([c for (_, step), c in meter.steps.items() if step == name] for name in ("look up", "save"))
        (look_own, look_db), (save_own, save_db) = (
            (statistics.median(c.own for c in costs), statistics.median(c.database for c in costs)) for costs in both
        )
    return look_own, look_db, save_own, save_db


def _changed(pin_ids: pa.Array, turn: int) -> pa.Table:
    """The pins with a new title."""
    size = len(pin_ids)
    known = {"pin_id": pin_ids, "title": pa.array([f"Changed in turn {turn}"] * size)}
    same = {"pin_creator_id": pa.array([1] * size), "pin_board_id": pa.array([1] * size)}
    versions = (pa.array([at] * size, kind) for at, kind in zip((EPOCH, 0, turn), VERSION_TYPES, strict=True))
    values = known | same | dict(zip(PIN_VERSION, versions, strict=True))
    return pa.table([values.get(f.name, pa.nulls(size, f.type)) for f in PINS_SCHEMA], schema=PINS_SCHEMA)


if __name__ == "__main__":
    sys.exit(main())
