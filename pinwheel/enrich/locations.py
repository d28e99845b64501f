"""Locates addresses: city-level lookups in files of MaxMind's format, a batch at a time.

Reads DB-IP's flat records (``city``, ``country_code``, ``state1`` …) and MaxMind's nested ones (GeoIP2, GeoLite2 City).
"""

import logging
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb
import pyarrow as pa

from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import LOCATION_COLUMNS, UNREADABLE
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import GeoSettings
from pinwheel.enrich import addresses

log = logging.getLogger(__name__)

CACHED_ADDRESSES = 100_000  # then all are forgotten; about 25 MB. A batch of 50,000 events has fewer

LOCATION_TYPE = pa.struct([(c.name, ARROW_TYPE[c.type]) for c in LOCATION_COLUMNS])


class Location(NamedTuple):
    """One address's row; the fields are ``contract.LOCATION_COLUMNS``."""

    country_code: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    ip_network: str | None = None
    geo_version: str | None = None


class Database(NamedTuple):
    """An open location file and its build, e.g. ``dbip-city-ipv4 2026-11-01``."""

    reader: Any  # maxminddb.Reader; the package has no types
    version: str


NOWHERE = Location()
NO_ADDRESS = Location(geo_version=UNREADABLE)  # not the value, which may be private: only that there was one


class Locator:
    """Finds locations. Cheap to pickle: each process opens the files on first use.

    Raises:
        MissingPartError: a location file does not exist, or is not in MaxMind's format.
    """

    def __init__(self, settings: GeoSettings) -> None:
        self._v4 = _existing(settings.geo_ipv4_path, "PINWHEEL_GEO_IPV4_PATH")
        self._v6 = _existing(settings.geo_ipv6_path, "PINWHEEL_GEO_IPV6_PATH")
        self._known: dict[str, int] = {}  # address -> row of _places
        self._places = _columns([])

    def locate(self, texts: pa.Array) -> pa.StructArray:
        """Locate a column of addresses, in the forms of ``addresses.packed``; each distinct one is looked up once.

        Returns:
            One row of ``LOCATION_TYPE`` per address, in order. All null for a null or empty one; ``NO_ADDRESS`` for
            another text that is none; for a valid one that the database does not know, only ``ip_network`` and
            ``geo_version`` are set.
        """
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        self._learn(distinct)
        rows = pa.array([self._known[address] for address in distinct], pa.int64()).take(encoded.indices)
        columns = [column.take(rows) for column in self._places.flatten()]  # as columns: a Python row costs four times
        return pa.StructArray.from_arrays(columns, fields=list(LOCATION_TYPE))

    def _learn(self, texts: Sequence[str]) -> None:
        new = [address for address in texts if address not in self._known]
        if len(self._known) + len(new) > CACHED_ADDRESSES:
            self._known, self._places, new = {}, _columns([]), list(texts)
        if new:
            self._known.update(zip(new, range(len(self._places), len(self._places) + len(new)), strict=True))
            self._places = pa.concat_arrays([self._places, _columns([self.find(address) for address in new])])

    def find(self, address: str | None) -> Location:
        """Locate one address; ``NO_ADDRESS`` for a text that is none, never an error."""
        packed = addresses.packed(address)
        if packed is None:
            return NO_ADDRESS if address and not address.isspace() else NOWHERE
        database = _open(self._v4 if len(packed) == 4 else self._v6)
        record = _record(database, socket.inet_ntop(addresses.family(packed), packed))
        found = _location(record) if isinstance(record, Mapping) else NOWHERE
        return found._replace(ip_network=addresses.network(packed), geo_version=database.version)


def _columns(places: Sequence[Location]) -> pa.StructArray:
    columns = zip(*places, strict=True) if places else [()] * len(Location._fields)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, LOCATION_TYPE, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=list(LOCATION_TYPE))


def _record(database: Database, address: str) -> object:
    """The file's record of an address; None where it can't be read, so that one bad record does not fail the batch."""
    try:
        return database.reader.get(address)
    except ValueError:  # an IPv6 address in a file that has IPv4 only
        return None
    except maxminddb.InvalidDatabaseError as error:
        log.warning("location record unreadable database=%r error=%s", database.version, error)
        return None


def _location(record: Mapping[str, Any]) -> Location:
    """Read a record of either shape; empty strings become null."""
    flat = _flat(record) if isinstance(record.get("country_code"), str) else _nested(record)
    return flat._replace(country_code=flat.country_code or None, region=flat.region or None, city=flat.city or None)


def _flat(record: Mapping[str, Any]) -> Location:
    return Location(
        record["country_code"],
        record.get("state1"),
        record.get("city"),
        _degrees(record.get("latitude")),
        _degrees(record.get("longitude")),
    )


def _nested(record: Mapping[str, Any]) -> Location:
    regions = record.get("subdivisions") or [{}]
    place = record.get("location") or {}
    return Location(
        (record.get("country") or {}).get("iso_code"),
        _english(regions[0]),
        _english(record.get("city") or {}),
        _degrees(place.get("latitude")),
        _degrees(place.get("longitude")),
    )


def _english(part: Mapping[str, Any]) -> str | None:
    name = (part.get("names") or {}).get("en")
    return name if isinstance(name, str) else None


def _degrees(value: object) -> float | None:
    """Degrees to 5 decimals, about a metre: the files hold 32-bit floats, whose further digits are noise."""
    return round(float(value), 5) if isinstance(value, int | float) else None


@cache
def _open(path: Path) -> Database:
    """Open a file once per process. It is memory-mapped, so processes share its pages."""
    try:
        reader = maxminddb.open_database(str(path))
    except (maxminddb.InvalidDatabaseError, OSError) as error:
        raise MissingPartError(
            f"the location file {path} can't be read ({error}); delete it and run `make run` to fetch it again"
        ) from error
    about = reader.metadata()
    built = datetime.fromtimestamp(about.build_epoch, UTC).date()
    return Database(reader, f"{path.stem} {built.isoformat()}")  # the metadata's type is just "city ipv4" in DB-IP's


def _existing(path: Path, setting: str) -> Path:
    if not path.is_file():
        raise MissingPartError(
            f"the location file {path} does not exist; `make run` fetches DB-IP City Lite, or set {setting} to a "
            "city file in MaxMind's format"
        )
    return path.resolve()
