"""Enrichment: adds the full pin and the location to each event."""

from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pinwheel.core.contract import EVENT_TYPES, PIN_COLUMNS, PIN_ID, PIN_STATUS_COLUMN, PIN_VERSION, PinStatus
from spark_jobs.transforms.parse import ADDRESS

EMBEDDING = pa.array([kind.name for kind in EVENT_TYPES.values() if kind.embeds_pin])
NAMING = pa.array([kind.name for kind in EVENT_TYPES.values() if kind.names_pin and not kind.embeds_pin])


class Pins(Protocol):
    """Interface of ``PinLookup``; see there."""

    def find(self, pin_ids: pa.Array) -> pa.StructArray:
        """Look up the pins of a column of ids, with the status of each."""

    def save(self, pins: pa.Table) -> bool:
        """Save pins that came through the stream, each a version of its pin."""


class Places(Protocol):
    """Interface of ``Locator``; see there."""

    def locate(self, addresses: pa.Array) -> pa.StructArray:
        """Locate a column of addresses."""


def with_pins(events: pa.Table, pins: Pins) -> pa.Table:
    """Fill in the pin's columns of events that name a pin, and add ``pin_status``, which says how each got it.

    Embedded pins are saved before the others are looked up, so that a repin right after its pin finds it. The save is
    idempotent (a task may be retried); if it fails, the merge of ``pins`` saves the same pins later.
    """
    embedded = pc.is_in(events["event_type"], EMBEDDING)
    names = [c.name for c in PIN_COLUMNS]
    new_pins = events.select([PIN_ID.name, *names, *PIN_VERSION]).filter(embedded)
    if new_pins.num_rows:
        pins.save(new_pins)
    wanted = pc.if_else(pc.is_in(events["event_type"], NAMING), events[PIN_ID.name], None)
    found = pins.find(wanted.combine_chunks())
    for name in names:
        filled = pc.if_else(embedded, events[name], pc.struct_field(found, name))
        events = events.set_column(events.column_names.index(name), name, filled)
    status = pc.if_else(embedded, PinStatus.EMBEDDED.value, pc.struct_field(found, PIN_STATUS_COLUMN.name))
    return events.append_column(PIN_STATUS_COLUMN.name, status)


def with_places(events: pa.Table, places: Places) -> pa.Table:
    """Add the location columns, and drop the address."""
    found = places.locate(events[ADDRESS].combine_chunks())
    events = events.drop_columns([ADDRESS])
    for field, column in zip(found.type, found.flatten(), strict=True):
        events = events.append_column(field.name, column)
    return events
