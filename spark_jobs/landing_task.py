"""The Spark task: parses, enriches and writes its share of a micro-batch; returns only the manifest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr

from pinwheel.core.settings import (
    GeoSettings,
    PinLookupSettings,
    RecordSettings,
    ReplaySettings,
    StreamSettings,
    load,
)
from pinwheel.core.times import FIRST_KAFKA
from pinwheel.enrich.locations import Locator
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake.erased_people import ErasedPeople
from pinwheel.lake.files import FileWriter
from spark_jobs.transforms.enrich import with_pins, with_places
from spark_jobs.transforms.erased import without_erased, without_makers
from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser

MANIFEST_SCHEMA = "manifest string"  # a task returns one row: its ``Manifest`` as JSON
Write = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class _Share:
    """Settings that the driver passes to a task."""

    events_uri: str
    limits: Limits
    pins: PinLookupSettings
    geo: GeoSettings
    lake_uri: str
    erasure_key: SecretStr


def writer(settings: StreamSettings) -> Write:
    """The task as a function for ``mapInArrow`` over ``RECORDS_SCHEMA``."""
    pins, geo = load(PinLookupSettings), load(GeoSettings)
    share = _Share(settings.events_uri, _limits(settings), pins, geo, settings.lake_uri, settings.erasure_key)

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _write(share, batches)

    return write


def _write(share: _Share, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """If it dies, it leaves files that no commit names. If it runs twice, each run's manifest names its own files."""
    files = FileWriter(share.events_uri)
    for batch in batches:
        if batch.num_rows:
            records = with_plausible_times(pa.Table.from_batches([batch]), datetime.now(UTC), share.limits)
            files.write(to_rows(records, share))
    yield pa.RecordBatch.from_pydict({"manifest": [files.close().to_json()]})


def with_plausible_times(records: pa.Table, now: datetime, limits: Limits) -> pa.Table:
    """Replace Kafka times that can't be right by ``now``: before there was Kafka, or in the future.

    A topic may keep the producer's time (``message.timestamp.type=CreateTime``): 0, or microseconds as milliseconds.
    Then ``kafka_timestamp`` is when the record landed.
    """
    times = records["kafka_timestamp"]
    latest = now + timedelta(seconds=limits.max_future_seconds)
    bounds = [pa.scalar(at, times.type) for at in (FIRST_KAFKA, latest, now)]
    is_plausible = pc.and_(pc.greater_equal(times, bounds[0]), pc.less_equal(times, bounds[1]))
    place = records.column_names.index("kafka_timestamp")
    return records.set_column(place, "kafka_timestamp", pc.if_else(is_plausible, times, bounds[2]))


def to_rows(records: pa.Table, share: _Share) -> pa.Table:
    """Kafka records to rows of the lake, one row per record."""
    return _enriched(_parsed(records, share), share)


def _parsed(records: pa.Table, share: _Share) -> pa.Table:
    people = _erased(share.lake_uri, share.erasure_key)
    return without_erased(_parser(share.limits).parse(records.cast(RECORDS_SCHEMA)), people)


def _enriched(parsed: pa.Table, share: _Share) -> pa.Table:
    people = _erased(share.lake_uri, share.erasure_key)
    events = with_pins(without_makers(parsed, people), _pins(share.pins, people))
    return with_places(without_makers(events, people), _locator(share.geo))


class Landed:
    """The stream's way with records, for those that come home from the lake: ``pinwheel.lake.replay.Steps``."""

    def __init__(self, settings: ReplaySettings) -> None:
        self._share = _Share(
            settings.events_uri, _limits(settings), settings, settings, settings.lake_uri, settings.erasure_key
        )

    def parse(self, records: pa.Table) -> pa.Table:
        """See ``Steps``. A letter's size was judged when it landed; its networks may be longer than its addresses."""
        sizes = pc.min_element_wise(records["value_bytes"], self._share.limits.max_value_bytes)
        return _parsed(records.set_column(records.column_names.index("value_bytes"), "value_bytes", sizes), self._share)

    def enrich(self, parsed: pa.Table) -> pa.Table:
        """See ``Steps``."""
        return _enriched(parsed, self._share)


def _limits(settings: RecordSettings) -> Limits:
    return Limits(settings.max_value_bytes, settings.max_future_seconds, settings.max_past_days)


# One of each per Python worker, which lives as long as the stream and runs one task at a time.
@cache
def _parser(limits: Limits) -> Parser:
    return Parser(limits)


@cache
def _pins(settings: PinLookupSettings, people: ErasedPeople) -> PinLookup:
    return PinLookup(settings, strip=people.strip)


@cache
def _erased(lake_uri: str, key: SecretStr) -> ErasedPeople:
    return ErasedPeople(lake_uri, key)


@cache
def _locator(settings: GeoSettings) -> Locator:
    return Locator(settings)
