"""The full pin and the location of each event.

Both lookups are Arrow UDFs: the JVM hands over whole batches of just these columns, Python looks up distinct
values (process cache, MemSQL, Pin API, location file) and hands columns back; every other column stays in the JVM.
"""

from collections.abc import Callable

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pinwheel.contracts import EVENT_TYPES, LOCATION_COLUMNS, PIN_COLUMNS, PIN_STATUS_COLUMN, PinStatus
from spark_jobs.transforms.types import struct_type

Locate = Callable[[pa.Array], pa.StructArray]
FindPins = Callable[..., pa.StructArray]  # (pin_id, embedded, *PIN_COLUMNS) -> PIN_COLUMNS and pin_status


def with_location(events: DataFrame, locate: Locate) -> DataFrame:
    """Add where each event happened, and drop the address.

    Args:
        events: one row per record; needs ``ip`` (string, may be null) and ``dead_reason``.
        locate: addresses -> LOCATION_COLUMNS; null where unknown.
    """
    udf = F.arrow_udf(locate, returnType=struct_type(LOCATION_COLUMNS))
    found = events.withColumn("location", udf(F.when(F.col("dead_reason").isNull(), F.col("ip"))))
    return found.withColumns({c.name: F.col(f"location.{c.name}") for c in LOCATION_COLUMNS}).drop("ip", "location")


def with_pin(events: DataFrame, find_pins: FindPins) -> DataFrame:
    """Fill the pin's columns of events that name one, and say in ``pin_status`` how each got it.

    Args:
        events: one row per record; needs ``event_type``, ``dead_reason``, ``pin_id`` and PIN_COLUMNS
            (filled where the event embeds its pin).
        find_pins: saves embedded pins to the cache, looks up the others.
    """
    names = [c.name for c in PIN_COLUMNS]
    alive = F.col("dead_reason").isNull()
    embedded = alive & F.col("event_type").isin([k.name for k in EVENT_TYPES.values() if k.embeds_pin])
    wanted = alive & F.col("event_type").isin([k.name for k in EVENT_TYPES.values() if k.has_pin])
    udf = F.arrow_udf(find_pins, returnType=struct_type((*PIN_COLUMNS, PIN_STATUS_COLUMN)))
    asked = [F.when(wanted, F.col("pin_id")), embedded, *(F.when(embedded, F.col(n)) for n in names)]
    found = events.withColumn("embedded", embedded).withColumn("found", udf(*asked))
    columns = {n: F.when(F.col("embedded"), F.col(n)).otherwise(F.col(f"found.{n}")) for n in names}
    columns["pin_status"] = _status()
    return found.withColumns(columns).drop("found", "embedded")


def _status() -> Column:
    return F.when(F.col("embedded"), F.lit(PinStatus.EMBEDDED.value)).otherwise(F.col("found.pin_status"))
