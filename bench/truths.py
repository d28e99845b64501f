"""Compares every row and rollup of a database with the generator's truth, in SQL, by DuckDB."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pymysql.cursors import SSCursor

from pinwheel.clients import memsql
from pinwheel.core.settings import GeoSettings, MemsqlSettings, load
from pinwheel.enrich.locations import Locator
from pinwheel.generate import truth
from pinwheel.generate.catalogue import Catalogue

MICROS = pa.timestamp("us")
FETCH = 50_000  # rows at a time
PIN = ("creator_id", "brand_id", "category", "title", "description", "link", "image_url")
PLACE = ("country_code", "region", "city", "latitude", "longitude")
COMMON = ("event_id", "occurred_at", "user_id")
NAMED = ("creator_id", "brand_id", "category")
COLUMNS = {
    "pin": (*COMMON, "pin_id", *PIN, *PLACE),
    "repin": (*COMMON, "pin_id", "board_id", *NAMED, *PLACE),
    "comment": (*COMMON, "pin_id", "text", *NAMED, *PLACE),
    "login": (*COMMON, "client", *PLACE),
}
KINDS = ", ".join(f"COUNT(*) FILTER (event_type = '{kind}')" for kind in ("pin", "repin", "comment"))
PEOPLE = "COUNT(DISTINCT user_id)"
COUNTS = ("pins", "repins", "comments")
HOUR, DAY = "date_trunc('hour', occurred_at)", "CAST(occurred_at AS DATE)"


@dataclass(frozen=True)
class Rollup:
    """Definition of a rollup over the events."""

    keys: tuple[str, ...]
    by: tuple[str, ...]
    where: str
    with_people: bool = True


ROLLUPS = {
    "brand_hourly": Rollup(("brand_id", "hour"), ("brand_id", HOUR), "brand_id IS NOT NULL"),
    "category_hourly": Rollup(("category", "hour"), ("COALESCE(category, '(none)')", HOUR), "event_type <> 'login'"),
    "brand_daily": Rollup(("brand_id", "day"), ("brand_id", DAY), "brand_id IS NOT NULL"),
    "brand_country_daily": Rollup(
        ("brand_id", "country_code", "day"),
        ("brand_id", "COALESCE(country_code, 'ZZ')", DAY),
        "brand_id IS NOT NULL",
    ),
    "pin_hourly": Rollup(("pin_id", "hour"), ("pin_id", HOUR), "event_type <> 'login'", with_people=False),
    "country_hourly": Rollup(
        ("hour", "country_code"), (HOUR, "COALESCE(country_code, 'ZZ')"), "event_type <> 'login'", with_people=False
    ),
}
BASELINE_ROLLUPS = ("brand_hourly", "category_hourly")


class Truth:
    """The sent events, each once, with their pins and locations."""

    def __init__(self, folders: Iterable[Path], catalogue_seed: int) -> None:
        sent = pa.concat_tables([truth.read(folder) for folder in folders])
        self.dead = int(pc.sum(pc.is_valid(sent["malformed"])).as_py() or 0)
        self.records = sent.num_rows
        fine = sent.filter(pc.is_null(sent["malformed"]))
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.register(
            "sent",
            fine.set_column(fine.column_names.index("occurred_at"), "occurred_at", fine["occurred_at"].cast(MICROS)),
        )
        self._db.register("known_pins", _pins(fine["pin_id"], Catalogue(catalogue_seed)))
        self._db.register("known_places", _places(fine["ip"]))
        taken = ", ".join((*(f"p.{name}" for name in PIN), *(f"g.{name}" for name in PLACE)))
        self._db.execute(
            f"CREATE TABLE events AS SELECT DISTINCT ON (s.event_id) s.event_id, s.event_type, s.occurred_at, "  # noqa: S608
            f"s.user_id, s.pin_id, s.board_id, s.text, s.client, {taken} FROM sent AS s "
            "LEFT JOIN known_pins AS p ON s.pin_id = p.pin_id LEFT JOIN known_places AS g ON s.ip = g.ip"
        )

    def wrong_rows(self, settings: MemsqlSettings, kind: str, renamed: Mapping[str, str]) -> int:
        """Number of rows of an event table that are missing, surplus, or not as sent."""
        columns = COLUMNS[kind]
        kept = [f"{renamed[c]} AS {c}" if c in renamed else c for c in columns]
        wanted = f"SELECT {', '.join(columns)} FROM events WHERE event_type = '{kind}'"  # noqa: S608
        return self._differences(wanted, settings, f"SELECT {', '.join(kept)} FROM {kind}s")  # noqa: S608

    def wrong_buckets(self, settings: MemsqlSettings, name: str) -> int:
        """Number of rows of a rollup that are missing, surplus, or differ from a recount."""
        rollup = ROLLUPS[name]
        counted = f"{KINDS}, {PEOPLE}" if rollup.with_people else KINDS
        wanted = f"SELECT {', '.join(rollup.by)}, {counted} FROM events WHERE {rollup.where} GROUP BY ALL"  # noqa: S608
        people = ("unique_people",) if rollup.with_people else ()
        names = ", ".join((*rollup.keys, *COUNTS, *people))
        return self._differences(wanted, settings, f"SELECT {names} FROM {name}")  # noqa: S608

    def wrong_dead(self, settings: MemsqlSettings) -> int:
        """Number of dead letters that a baseline's table lacks, or has too many."""
        with memsql.connect(settings) as connection, connection.cursor(SSCursor) as cursor:
            cursor.execute("SELECT COUNT(*) FROM dead_letters")
            return abs(int(cursor.fetchall()[0][0]) - self.dead)

    def _differences(self, wanted: str, settings: MemsqlSettings, asked: str) -> int:
        types = self._db.sql(f"{wanted} LIMIT 0").to_arrow_table().schema.types
        self._db.register("found", _fetched(settings, asked, types))
        found = "SELECT * FROM found"
        return max(self._count(f"({wanted}) EXCEPT ALL ({found})"), self._count(f"({found}) EXCEPT ALL ({wanted})"))

    def _count(self, query: str) -> int:
        return int(self._db.execute(f"SELECT COUNT(*) FROM ({query})").fetchall()[0][0])  # noqa: S608


def _fetched(settings: MemsqlSettings, asked: str, types: list[pa.DataType]) -> pa.Table:
    """A query's rows, cast to the wanted types: different types with equal values are no difference."""
    with memsql.connect(settings) as connection, connection.cursor(SSCursor) as cursor:
        cursor.execute(asked)
        names = [column[0] for column in cursor.description]
        schema = pa.schema(list(zip(names, types, strict=True)))
        parts = [schema.empty_table()]
        while rows := cursor.fetchmany(FETCH):
            columns = zip(zip(*rows, strict=True), types, strict=True)
            parts.append(pa.table([pa.array(values, kind) for values, kind in columns], schema=schema))
    return pa.concat_tables(parts)


def _pins(pin_ids: pa.ChunkedArray, catalogue: Catalogue) -> pa.Table:
    """All existing pins that events name."""
    rows = catalogue.pin_rows(pc.unique(pin_ids.drop_null()).to_pylist())
    return pa.table({name: pa.array([row[name] for row in rows]) for name in ("pin_id", *PIN)})


def _places(addresses: pa.ChunkedArray) -> pa.Table:
    """The location of every address."""
    locator, known = Locator(load(GeoSettings)), pc.unique(addresses.drop_null()).to_pylist()
    found = [locator.find(address) for address in known]
    columns = {name: pa.array([getattr(place, name) for place in found]) for name in PLACE}
    return pa.table({"ip": known, **columns})
