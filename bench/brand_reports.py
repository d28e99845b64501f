"""Measures 500 brand reports, of a day and of a week, on ten million rows of the embedded MariaDB.

    python bench/brand_reports.py --rows 10000000

Fills a separate database as bench/reports.py does, but with 500 brands, and makes all reports with the code of
dags/report_brands.py: read, compare, render, write, list. Kafka is away, which costs a timeout of 5 s per run.
Each run is repeated: the second one must find nothing to do.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench.reports import World, database, fill
from pinwheel.clients import memsql
from pinwheel.core.settings import MailSettings, MemsqlSettings, ReportSettings
from pinwheel.core.times import utc_now
from pinwheel.reports.make import Maker
from pinwheel.reports.period import Period
from pinwheel.reports.store import Store

BRANDS = 500
PERIODS = {"day": Period(date(2026, 3, 14), 1), "week": Period(date(2026, 3, 9), 7)}
ALLOWED_SECONDS = 60


def make(memsql_settings: MemsqlSettings, folder: Path, period: Period) -> tuple[float, dict[str, int], Sequence[str]]:
    """Make the reports of all brands; returns seconds, counts by outcome, and errors."""
    values = memsql_settings.model_dump(include=set(MemsqlSettings.model_fields))
    settings = ReportSettings(**values, reports_uri=str(folder), kafka_bootstrap="127.0.0.1:1")
    began = time.monotonic()
    with Store(settings.reports_uri, settings.report_writers) as store:
        maker = Maker(settings, MailSettings(smtp_host=""), store, utc_now)
        maker.asked(period, [])
        maker.close()
    return time.monotonic() - began, maker.tally.counts(), list(maker.tally.failed.values())


def prepare(settings: MemsqlSettings) -> None:
    """Name the brands, and delete the reports of an earlier run."""
    connection = memsql.connect(settings)
    rows = [{"brand_id": n, "name": f"Brand {n}", "contact": f"brand-{n}@example.org"} for n in range(1, BRANDS + 1)]
    with connection, connection.cursor() as cursor:
        memsql.execute_many(connection, "generate/upsert_brands", rows)
        cursor.execute("DELETE FROM brand_reports")
        connection.commit()


def main() -> int:
    """Fill the tables, make the reports, print a table; returns 1 when a report fails or all of them take too long."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="events of all types together")
    parser.add_argument("--keep", action="store_true", help="use the database that an earlier run has filled")
    given = parser.parse_args()
    failed = False
    folder = Path(tempfile.mkdtemp())
    with database(given.keep, "bench-brand-reports") as settings:
        if not given.keep:
            fill(memsql.connect(settings, local_infile=True, statement_seconds=3600), given.rows, World(brands=BRANDS))
        prepare(settings)
        print("| reports | made in, s | the same again, s | files, MB |\n|---|---:|---:|---:|")
        for name, period in PERIODS.items():
            seconds, counts, errors = make(settings, folder, period)
            again, unchanged, _ = make(settings, folder, period)
            size = sum(file.stat().st_size for file in folder.rglob(f"{period.key}/*/*")) / 1e6
            print(f"| {BRANDS} of a {name} | {seconds:.1f} | {again:.1f} | {size:.0f} |", flush=True)
            wrong = errors or counts != {"made": BRANDS} or unchanged != {"unchanged": BRANDS}
            failed |= bool(wrong) or seconds > ALLOWED_SECONDS
            if wrong:
                print(counts, unchanged, errors[:3])
    shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
