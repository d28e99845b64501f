"""For tests of rebuilt tables: events, sessions until nothing is left to do, and all rows and rollups."""

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Row
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.session import Session
from pinwheel.rollup.rollups import Rollups
from tests.support.lakes import NOON, event, hours
from tests.support.types import Query


def work(settings: MergeSettings, *tables: str) -> list[str]:
    """Sessions of these tables until nothing is left to do, then the rollups; returns the alerts raised."""
    told: list[str] = []
    for table in tables or TABLES:
        session = Session(table, settings, lambda alert, *_: told.append(alert.name), lambda *_: None)
        idle = 0
        while idle < 3:  # a turn without work may have asked for a rebuild
            idle = 0 if session.turn() else idle + 1
        session.close()
        assert session.errors == 0
    rollups = Rollups()
    with memsql.connect(settings, local_infile=True) as connection:
        while rollups.refresh(connection) or memsql.fetch(connection, "rollup/stale_days"):
            connection.commit()
    return told


def everything(query: Query) -> dict[str, list[Row]]:
    """All rows, rollups and quarantined rows, without the time of their last change and their slice."""
    stamps = {"updated_at", "fetched_at", "slice_id", "row_num", "row_json", "quarantined_at"}
    rollups = ("brand_hourly", "brand_daily", "brand_country_daily", "category_hourly", "country_hourly", "pin_hourly")
    tables = (*TABLES, *rollups, "pin_firsts", "person_homes", "pin_cache", "table_progress", "quarantine")
    asked = {table: query(f"SELECT * FROM {table}") for table in tables}
    found = {t: [{k: v for k, v in row.items() if k not in stamps} for row in rows] for t, rows in asked.items()}
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def events() -> list[Row]:
    kinds = [kind.name for kind in TABLES.values()]
    return [
        event(kinds[n % 4], f"e{n}", n, user_id=n % 7, pin_id=n % 5, occurred_at=NOON - hours(n % 30))
        for n in range(80)
    ]
