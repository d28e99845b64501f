"""The two lookups as functions for Arrow UDFs, opened once per Python worker."""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.contracts import PIN_COLUMNS
from pinwheel.geo import Locator
from pinwheel.pins import PinLookup
from pinwheel.settings import GeoSettings, PinLookupSettings
from spark_jobs.transforms.enrich import FindPins, Locate


@cache
def _locator(settings: GeoSettings) -> Locator:
    return Locator(settings)


@cache
def _pins(settings: PinLookupSettings) -> PinLookup:
    return PinLookup(settings)


def locate_with(settings: GeoSettings) -> Locate:
    """The location lookup, to be shipped to the workers."""

    def locate(addresses: pa.Array) -> pa.Array:
        return _locator(settings).locate(addresses)

    return locate


def find_pins_with(settings: PinLookupSettings) -> FindPins:
    """The pin lookup, to be shipped to the workers.

    Saves the pins that events embed before it looks up the others, so that a repin right after its pin finds it.
    Saving twice (a task that is tried again) changes nothing; a save that fails is made good by the merge of ``pins``.
    """

    def find_pins(pin_ids: pa.Array, embedded: pa.Array, *columns: pa.Array) -> pa.Array:
        lookup = _pins(settings)
        pins = pa.table({"pin_id": pin_ids, **{c.name: v for c, v in zip(PIN_COLUMNS, columns, strict=True)}})
        came = pins.filter(embedded)
        if came.num_rows:
            lookup.save(came)
        return lookup.find(pc.if_else(embedded, pa.scalar(None, pa.int64()), pin_ids))

    return find_pins
