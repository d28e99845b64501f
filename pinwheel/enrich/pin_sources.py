"""The sources of full pins: ``pin_cache`` in MemSQL, and the Pin API. Both take many ids per request.

Both raise ``SourceDownError`` and nothing else, so that ``pins`` can pause a source that failed.
"""

import json
import logging
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from operator import itemgetter
from threading import Timer
from typing import Any, NamedTuple, Protocol

import httpx
import orjson
import pyarrow as pa
import pymysql
from pymysql.cursors import Cursor

from pinwheel.clients.memsql import Connection, retry_conflicts, statement
from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import LINEAGE_COLUMNS, PIN_FIELDS, PIN_VERSION, Field, Type
from pinwheel.core.errors import MemsqlError, PinwheelError
from pinwheel.core.settings import PinSettings, PinTokenSettings
from pinwheel.core.times import EPOCH, of_rfc_3339
from pinwheel.enrich.pin_cache import COLUMNS, SELECT_IDS, save_answers, save_versions

log = logging.getLogger(__name__)

# A pin's fields in the order of VALUE_FIELDS, then PIN_VERSION; times as microseconds since 1970, UTC.
PinRow = tuple[Any, ...]
Connect = Callable[[], Connection]

VALUE_FIELDS = tuple(f for f in PIN_FIELDS if f.name != "pin_id")
VALUES, VERSION = slice(len(VALUE_FIELDS)), slice(len(VALUE_FIELDS), None)  # the parts of a row
NO_VERSION: PinRow = (None,) * len(PIN_VERSION)  # of the Pin API's answers
VERSION_TYPES = (ARROW_TYPE[Type.TIMESTAMP], *(ARROW_TYPE[c.type] for c in LINEAGE_COLUMNS if c.name in PIN_VERSION))
MICROSECOND = timedelta(microseconds=1)
SURROGATE = re.compile("[\ud800-\udfff]")  # half a pair: no character
INT64 = range(-(2**63), 2**63)
ANSWER_BYTES, PIN_BYTES = 2**20, 2**15  # of an answer, and more per pin: its longest texts, mostly of 3 bytes
FAILURES = (httpx.HTTPError, httpx.InvalidURL, zlib.error, OSError, RuntimeError, ValueError, KeyError, TypeError)
IDLE_SECONDS = 60.0  # reconnect after that: servers and firewalls drop idle connections


class SourceDownError(PinwheelError):
    """A source of pins did not answer, or its answer can't be read."""


class Answer(NamedTuple):
    """The pins that a source has, and the ids that do not exist. Ids in neither may become known later."""

    pins: dict[int, PinRow]
    unknown: set[int]


class PinSource(Protocol):
    """A source that returns pins in batches."""

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        """Fetch up to ``pin_api_batch`` pins in one call, or raise ``SourceDownError``."""


class PinApi:
    """The Pin API over HTTP: ``POST {pin_api_url}/pins/batch``.

    Whatever it answers, that ends: after ``pin_api_seconds`` in all, within the bytes that the asked pins can have.
    """

    def __init__(self, settings: PinSettings, client: httpx.Client | None = None) -> None:
        self._seconds = settings.pin_api_seconds
        self._client = client or self._connected()
        self._url = f"{settings.pin_api_url.rstrip('/')}/pins/batch"
        self._login = pin_api_login(settings)

    def _connected(self) -> httpx.Client:
        # An internal address: the environment's proxies must not apply.
        return httpx.Client(timeout=self._seconds, trust_env=False)

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        """Fetch pins; a pin that breaks the contract is left out of the answer, so its rows stay pending."""
        # httpx limits each read, not the sum of them. Its connections are closed under one that goes on for ever.
        late = Timer(self._seconds, self._client.close)
        late.daemon = True
        late.start()
        try:
            return _read_answer(_json(self._ask(pin_ids)), set(pin_ids))
        except FAILURES as error:
            raise SourceDownError(f"Pin API {self._url}: {type(error).__name__}: {error}") from error
        finally:
            late.cancel()
            if self._client.is_closed:
                self._client = self._connected()

    def _ask(self, pin_ids: Sequence[int]) -> bytes:
        body, headers = {"pin_ids": list(pin_ids)}, {"accept-encoding": "gzip", **self._login}
        with self._client.stream("POST", self._url, json=body, headers=headers) as response:
            response.raise_for_status()
            return _content(response, ANSWER_BYTES + PIN_BYTES * len(pin_ids))


def _content(response: httpx.Response, most: int) -> bytes:
    """The answer's body, unpacked here because httpx unpacks a whole chunk, to a thousand times its size."""
    packing, content = response.headers.get("content-encoding", "identity"), bytearray()
    if packing not in ("identity", "gzip"):
        raise ValueError(f"the answer is packed by {packing!r:.40}")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for chunk in response.iter_raw() if packing == "gzip" else response.iter_bytes():
        content += unpack.decompress(chunk, most + 1 - len(content)) if packing == "gzip" else chunk
        if len(content) > most:
            raise ValueError(f"the answer has more than {most} bytes")
    return bytes(content)


def _json(content: bytes) -> Any:
    """The answer; also one with half a surrogate pair, as of a title that was cut: only its own pin is left out."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content)


def pin_api_login(settings: PinTokenSettings) -> dict[str, str]:
    """The header that the Pin API asks for; none without a token."""
    token = settings.pin_api_token.get_secret_value()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _read_answer(body: Mapping[str, Any], asked: set[int]) -> Answer:
    pins: dict[int, PinRow] = {}
    for pin in body["pins"]:
        row = read_pin(pin) if isinstance(pin, dict) else None
        if row is not None and pin["pin_id"] in asked:
            pins[pin["pin_id"]] = row
    unknown = {pin_id for pin_id in body["unknown"] if type(pin_id) is int} & asked
    return Answer(pins, unknown - pins.keys())


def read_pin(pin: Mapping[str, Any]) -> PinRow | None:
    """A pin of the API as a row; None, and a warning in the log, when it breaks the contract."""
    invalid = [f.name for f in PIN_FIELDS if not _meets(f, pin.get(f.name))]
    if invalid:
        log.warning("pin breaks the contract pin_id=%.40r fields=%s", pin.get("pin_id"), ",".join(invalid))
        return None
    row = (_micros(pin.get(f.name)) if f.type is Type.TIMESTAMP else pin.get(f.name) for f in VALUE_FIELDS)
    return (*row, *NO_VERSION)


def _meets(field: Field, value: object) -> bool:
    if value is None:
        return field.nullable
    if field.type is Type.INT64:
        return type(value) is int and value in INT64
    if not isinstance(value, str) or len(value) > (field.max_chars or len(value)) or SURROGATE.search(value):
        return False
    return field.type is not Type.TIMESTAMP or _micros(value) is not None


def _micros(text: str | None) -> int | None:
    """Microseconds since 1970 of a time as events have it; None for any other text."""
    at = of_rfc_3339(text or "")
    return None if at is None else (at - EPOCH) // MICROSECOND


class PinCache:
    """``pin_cache`` in MemSQL. Holds one connection, opened on first use; not thread-safe."""

    def __init__(self, connect: Connect, clock: Callable[[], float]) -> None:
        self._connect = connect
        self._clock = clock
        self._connection: Connection | None = None
        self._used = 0.0

    def select(self, pin_ids: Sequence[int]) -> dict[int, PinRow]:
        """Look pins up; ids that are not in the cache are left out."""
        pins: dict[int, PinRow] = {}
        for start in range(0, len(pin_ids), SELECT_IDS):
            some = tuple(pin_ids[start : start + SELECT_IDS])
            pins.update(self._run(partial(self._selected, pin_ids=some)))
        return pins

    def _selected(self, connection: Connection, pin_ids: tuple[int, ...]) -> dict[int, PinRow]:
        with connection.cursor(Cursor) as cursor:
            cursor.execute(statement("enrich/select_pins", connection.engine), {"pin_ids": pin_ids})
            return {row[0]: row[1:] for row in cursor.fetchall()}

    def save_versions(self, pins: Mapping[int, PinRow]) -> None:
        """Save versions from pin events; rows that are newer stay."""
        self._save(save_versions, pins)

    def save_answers(self, pins: Mapping[int, PinRow]) -> None:
        """Save answers of the Pin API; rows that are there stay."""
        self._save(save_answers, pins)

    def _save(self, save: Callable[[Connection, pa.Table], None], pins: Mapping[int, PinRow]) -> None:
        table = _sorted_table(pins)
        retry_conflicts(lambda: self._run(lambda connection: save(connection, table)))

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        """Run one transaction; any error closes the connection."""
        try:
            connection = self._open()
            answer = work(connection)
            connection.commit()  # also after a SELECT: an open snapshot would hide later writes of others
        except (pymysql.Error, MemsqlError, OSError) as error:
            self.close()
            raise SourceDownError(f"pin_cache: {type(error).__name__}: {error}") from error
        self._used = self._clock()
        return answer

    def _open(self) -> Connection:
        if self._connection is not None and self._clock() - self._used > IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (pymysql.Error, OSError) as error:
                log.debug("closing a broken connection error=%s", error)


def columns_of(rows: Sequence[PinRow]) -> list[pa.Array]:
    """The pins' fields as Arrow columns, in the order of VALUE_FIELDS."""
    # Not zip(*rows): it makes an iterator per row, and the garbage collector walks them all (24 ms instead of 17).
    return [_array(list(map(itemgetter(n), rows)), ARROW_TYPE[field.type]) for n, field in enumerate(VALUE_FIELDS)]


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)


def _sorted_table(pins: Mapping[int, PinRow]) -> pa.Table:
    """Pins as ``pin_cache`` has them."""
    ids = sorted(pins)
    rows = [pins[i] for i in ids]
    first = VERSION.start
    versions = [_array(list(map(itemgetter(first + n), rows)), kind) for n, kind in enumerate(VERSION_TYPES)]
    return pa.table([pa.array(ids, pa.int64()), *columns_of(rows), *versions], names=COLUMNS)
