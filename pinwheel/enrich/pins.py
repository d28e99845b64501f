"""Read-through pin lookup, run in Spark's Python workers, a batch at a time.

Order: this process's LRU cache, ``pin_cache`` in MemSQL, the Pin API. Pins from the API are saved to ``pin_cache``.
A source that is down raises nothing: the rows are ``pending``, and the source is not asked again for some seconds,
so landing does not wait for a timeout in every batch.

Of a pin that comes several times, the newest version wins, by the time of its event and then by partition and offset,
here and in ``pin_cache``; an older one that comes later changes nothing. The LRU has no expiry: a newer version that
only another process has seen is not known here, as long as this process remembers the pin.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import pyarrow as pa
from cachetools import Cache, LRUCache, TTLCache

from pinwheel.clients import memsql
from pinwheel.core.arrow import ARROW_TYPE
from pinwheel.core.contract import PIN_COLUMNS, PIN_ID, PIN_STATUS_COLUMN, PIN_VERSION, PinStatus
from pinwheel.core.settings import PinLookupSettings
from pinwheel.enrich.pin_sources import (
    NO_VERSION,
    VALUE_FIELDS,
    VALUES,
    VERSION,
    VERSION_TYPES,
    Answer,
    Connect,
    PinApi,
    PinCache,
    PinRow,
    PinSource,
    SourceDownError,
    columns_of,
)

log = logging.getLogger(__name__)

Clock = Callable[[], float]
Strip = Callable[[dict[int, PinRow]], dict[int, PinRow]]
Save = Callable[[Mapping[int, PinRow]], None]

FOUND_TYPE = pa.struct([*((c.name, ARROW_TYPE[c.type]) for c in PIN_COLUMNS), (PIN_STATUS_COLUMN.name, pa.string())])
PINS_SCHEMA = pa.schema(
    [
        (PIN_ID.name, pa.int64()),
        *((c.name, ARROW_TYPE[c.type]) for c in PIN_COLUMNS),
        *zip(PIN_VERSION, VERSION_TYPES, strict=True),
    ]
)
NO_PIN: PinRow = (None,) * len(VALUE_FIELDS) + NO_VERSION
MISSING_IDS = 100_000  # size of each cache of misses, about 20 MB


class Breaker:
    """Circuit breaker: skips a source for some seconds after it failed."""

    def __init__(self, name: str, seconds: float, clock: Clock) -> None:
        self._name, self._seconds, self._clock = name, seconds, clock
        self._until = float("-inf")

    def closed(self) -> bool:
        """Whether the source may be asked."""
        return self._clock() >= self._until

    def trip(self, error: SourceDownError) -> None:
        """Record a failure; logs once per pause, not once per batch."""
        log.warning("source down name=%s pause_seconds=%s error=%s", self._name, self._seconds, error)
        self._until = self._clock() + self._seconds


class PinLookup:
    """Finds and saves pins; one per process and thread.

    Args:
        settings: addresses, cache sizes and timeouts.
        connect: opens a connection to MemSQL; None: by the settings.
        source: source of the pins that are not in ``pin_cache``; None: the Pin API.
        clock: monotonic, in seconds.
        strip: takes out of a source's pins what must not be kept.
    """

    def __init__(
        self,
        settings: PinLookupSettings,
        *,
        connect: Connect | None = None,
        source: PinSource | None = None,
        clock: Clock = time.monotonic,
        strip: Strip = dict,
    ) -> None:
        self._strip = strip
        seconds = settings.pin_memsql_seconds
        to_memsql = partial(memsql.connect, settings, local_infile=True, statement_seconds=seconds)
        self._cache = PinCache(connect or to_memsql, clock)
        self._source = source or PinApi(settings)
        self._batch, self._capacity = settings.pin_api_batch, settings.pin_cache_rows
        self._rows: LRUCache[int, PinRow] = LRUCache(self._capacity)
        self._unsaved: LRUCache[int, bool] = LRUCache(self._capacity)  # those of _rows that pin_cache may not have
        self._unknown: TTLCache[int, bool] = TTLCache(MISSING_IDS, settings.pin_missing_seconds, clock)
        self._pending: TTLCache[int, bool] = TTLCache(MISSING_IDS, settings.pin_retry_seconds, clock)
        self._cache_breaker = Breaker("pin_cache", settings.pin_retry_seconds, clock)
        self._source_breaker = Breaker("pin_api", settings.pin_retry_seconds, clock)

    def find(self, pin_ids: pa.Array) -> pa.StructArray:
        """Find the pins of a column of ids (int64, nulls allowed); each distinct id is looked up once.

        Returns:
            One row of ``FOUND_TYPE`` per id, in order: all null for a null id, only a status if no pin was found.
        """
        encoded = pin_ids.dictionary_encode()
        wanted = encoded.dictionary.to_pylist()
        rows, statuses = self._find(wanted)
        pins = [rows.get(i, NO_PIN) for i in wanted]
        cached = PinStatus.CACHED.value
        columns = [*columns_of(pins), pa.array([statuses.get(i, cached) for i in wanted], pa.string())]
        return pa.StructArray.from_arrays([c.take(encoded.indices) for c in columns], fields=list(FOUND_TYPE))

    def save(self, pins: pa.Table) -> bool:
        """Save full pins that came through the stream. Idempotent; a version that is older than a known one is ignored.

        Args:
            pins: at least the columns of ``PINS_SCHEMA`` (the lake's names); rows without a ``pin_id`` are ignored.

        Returns:
            Whether ``pin_cache`` has all of them; this process's cache has them either way.
        """
        rows = _newest(pins)
        newer, changed = self._news(rows)
        for known in (self._unknown, self._pending):
            _forget(known, newer)
        self._keep(newer)
        unsaved = {i: self._rows.get(i, row) for i, row in rows.items() if i in self._unsaved}
        return self._save(self._cache.save_versions, changed | unsaved)

    def _news(self, rows: Mapping[int, PinRow]) -> tuple[dict[int, PinRow], dict[int, PinRow]]:
        """The rows that are newer than the known ones, and those of them that say something else.

        Only the latter are saved at once. A pin that came again unchanged gets its version from the merge of ``pins``.
        """
        newer, changed = {}, {}
        for pin_id, row in rows.items():
            known = self._rows.get(pin_id)
            if _is_newer(row, known):
                newer[pin_id] = row
                if known is None or row[VALUES] != known[VALUES]:
                    changed[pin_id] = row
        return newer, changed

    def forget_misses(self) -> None:
        """Forget which pins were not found, so that the sources are asked for them again."""
        self._unknown.clear()
        self._pending.clear()

    def _find(self, wanted: Sequence[int]) -> tuple[dict[int, PinRow], dict[int, str]]:
        """Rows of the ids that were found, and the status of every id that is not ``cached``."""
        rows, missing = self._from_process(wanted)
        statuses = {i: status for i in missing if (status := self._remembered(i))}
        cached = self._from_cache([i for i in missing if i not in statuses])
        asked = [i for i in missing if i not in statuses and i not in cached]
        fetched, unknown = self._from_source(asked)
        statuses |= dict.fromkeys(asked, PinStatus.PENDING.value)
        statuses |= dict.fromkeys(unknown, PinStatus.UNKNOWN.value)
        statuses |= dict.fromkeys(fetched, PinStatus.FETCHED.value)
        return rows | cached | fetched, statuses

    def _from_process(self, wanted: Sequence[int]) -> tuple[dict[int, PinRow], list[int]]:
        rows, missing, known = {}, [], self._rows
        for pin_id in wanted:
            try:
                rows[pin_id] = known[pin_id]  # in cachetools [] is a third faster than get()
            except KeyError:
                missing.append(pin_id)
        return rows, missing

    def _remembered(self, pin_id: int) -> str | None:
        if pin_id in self._unknown:
            return PinStatus.UNKNOWN.value
        return PinStatus.PENDING.value if pin_id in self._pending else None

    def _from_cache(self, pin_ids: Sequence[int]) -> dict[int, PinRow]:
        if not pin_ids or not self._cache_breaker.closed():
            return {}
        try:
            pins = self._strip(self._cache.select(pin_ids))  # read before an erasure reached pin_cache
        except SourceDownError as error:
            self._cache_breaker.trip(error)
            return {}
        self._keep(pins)
        return pins

    def _from_source(self, pin_ids: Sequence[int]) -> tuple[dict[int, PinRow], set[int]]:
        """Ask the Pin API batch by batch, until one fails; remembers the ids that it did not have."""
        fetched: dict[int, PinRow] = {}
        unknown: set[int] = set()
        for start in range(0, len(pin_ids), self._batch):
            some = pin_ids[start : start + self._batch]
            if not self._source_breaker.closed():
                break
            try:
                answer = self._source.fetch(some)
            except SourceDownError as error:
                self._source_breaker.trip(error)
                break
            fetched |= self._strip(answer.pins)
            unknown |= answer.unknown
            self._remember_misses(some, answer)
        self._keep(fetched)
        self._save(self._cache.save_answers, fetched)
        return fetched, unknown

    def _remember_misses(self, asked: Iterable[int], answer: Answer) -> None:
        for pin_id in asked:
            if pin_id in answer.unknown:
                self._unknown[pin_id] = True
            elif pin_id not in answer.pins:
                self._pending[pin_id] = True

    def _save(self, save: Save, rows: dict[int, PinRow]) -> bool:
        if not rows:
            return True
        is_saved = self._is_saved(save, rows)
        if is_saved:
            _forget(self._unsaved, rows)
        elif self._capacity:
            self._unsaved.update(dict.fromkeys(rows, True))
        return is_saved

    def _is_saved(self, save: Save, rows: dict[int, PinRow]) -> bool:
        if not self._cache_breaker.closed():
            return False
        try:
            save(rows)
        except SourceDownError as error:
            self._cache_breaker.trip(error)
            return False
        return True

    def _keep(self, rows: dict[int, PinRow]) -> None:
        if self._capacity:  # cachetools raises on an insert into a cache of size 0
            self._rows.update(rows)


def _forget(cache: Cache[int, bool], pin_ids: Iterable[int]) -> None:
    if cache:  # mostly empty, and a pop takes a microsecond
        for pin_id in pin_ids:
            cache.pop(pin_id, None)


def _is_newer(row: PinRow, known: PinRow | None) -> bool:
    """Whether a version from the stream is newer than what is known; an answer of the Pin API is older than any."""
    if known is None:
        return True
    version = known[VERSION]
    return version == NO_VERSION or row[VERSION] > version


def _newest(pins: pa.Table) -> dict[int, PinRow]:
    """The newest version of each pin."""
    known = pins.select(PINS_SCHEMA.names).cast(PINS_SCHEMA).sort_by([(name, "ascending") for name in PIN_VERSION])
    columns = [
        (c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c).to_pylist() for c in known.drop(["pin_id"]).columns
    ]
    ids = known["pin_id"].to_pylist()
    return {i: row for i, row in zip(ids, zip(*columns, strict=True), strict=True) if i is not None}
