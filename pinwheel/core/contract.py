"""The event contract: what producers send, what the lake holds, what the reporting tables hold.

The one place that knows a field's name. Everything else (parser, lake schema, expectation suites, upserts) is built
from here, so a new event type is one entry in ``EVENT_TYPES``, one migration and example payloads. Imports nothing but
the standard library.
"""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """Logical column types; ``spark_jobs``, ``pinwheel.lake.events_table`` and ``sql/schema`` map them to their own."""

    STRING = "string"
    INT64 = "int64"
    INT32 = "int32"
    DOUBLE = "double"
    TIMESTAMP = "timestamp"  # UTC, microseconds
    DATE = "date"
    BINARY = "binary"


class SliceState(StrEnum):
    """State of a slice of a reporting table: merged, or held -> accepted -> merged; a held one that is tried again is
    superseded.
    """

    HELD = "held"
    ACCEPTED = "accepted"
    MERGED = "merged"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Column:
    """One column of the lake or of a reporting table, with its meaning."""

    name: str
    type: Type
    meaning: str


@dataclass(frozen=True)
class Field:
    """One field of a payload: a string, an int64 or a timestamp. ``max_chars`` and ``allowed`` are for strings only."""

    name: str
    type: Type
    meaning: str
    nullable: bool = False
    max_chars: int | None = None
    allowed: tuple[str, ...] = ()


class DeadReason(StrEnum):
    """Why a Kafka record could not land as an event."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_TIME = "bad_time"
    UNPROCESSABLE = "unprocessable"
    ERASED = "erased"


DEAD_REASONS = {
    DeadReason.EMPTY: "no value (a tombstone)",
    DeadReason.TOO_LARGE: "longer than the setting max_value_bytes; only the beginning is kept",
    DeadReason.NOT_UTF8: "not UTF-8",
    DeadReason.NOT_JSON: "not one JSON object",
    DeadReason.UNKNOWN_TYPE: "event_type is not in the contract",
    DeadReason.MISSING_FIELD: "a field is missing",
    DeadReason.BAD_FIELD: "wrong type, too long, or not an allowed value",
    DeadReason.BAD_TIME: "too far after or before the record's Kafka timestamp",
    DeadReason.UNPROCESSABLE: "reading it ends the process that reads it; nothing of it is kept",
    DeadReason.ERASED: "an event of a person who was erased; nothing of it is kept",
}


class PinStatus(StrEnum):
    """How a row got its pin."""

    EMBEDDED = "embedded"  # the event carries the pin
    CACHED = "cached"  # found in the process or in pin_cache
    FETCHED = "fetched"  # from the Pin API
    PENDING = "pending"  # not known yet: neither cache nor API could answer
    UNKNOWN = "unknown"  # the Pin API says there is no such pin; one that comes later completes the row
    GIVEN_UP = "given_up"  # was pending until its pin was given up


WITHOUT_PIN = (PinStatus.PENDING, PinStatus.UNKNOWN, PinStatus.GIVEN_UP)


MAX_EVENT_ID_CHARS = 64

COMMON_FIELDS = (
    Field("event_id", Type.STRING, "Unique per event; a redelivery repeats it", max_chars=MAX_EVENT_ID_CHARS),
    Field("event_type", Type.STRING, "pin, repin, comment or login"),
    Field("occurred_at", Type.TIMESTAMP, "Event time, RFC 3339"),
    Field("user_id", Type.INT64, "The person who acted"),
    Field("ip", Type.STRING, "IPv4 or IPv6 address; located, then truncated", nullable=True),
)

# Inside a pin event's ``pin`` object, in the Pin API's answer, and in pin_cache.
PIN_FIELDS = (
    Field("pin_id", Type.INT64, "The pin"),
    Field("creator_id", Type.INT64, "The person who made the pin"),
    Field("board_id", Type.INT64, "The board the pin was made on"),
    Field("brand_id", Type.INT64, "The brand the pin belongs to", nullable=True),
    Field("category", Type.STRING, "Category of the pin, e.g. travel", nullable=True, max_chars=64),
    Field("title", Type.STRING, "Title as written by its creator", nullable=True, max_chars=500),
    Field("description", Type.STRING, "Description as written by its creator", nullable=True, max_chars=5000),
    Field("link", Type.STRING, "Page the pin leads to", nullable=True, max_chars=2048),
    Field("image_url", Type.STRING, "Image of the pin", nullable=True, max_chars=2048),
    Field("created_at", Type.TIMESTAMP, "When the pin was made", nullable=True),
)


@dataclass(frozen=True)
class EventType:
    """One kind of event.

    ``table`` is its reporting table; ``fields`` are its own, in addition to ``COMMON_FIELDS``;
    ``embeds_pin``: the payload carries a ``pin`` object; ``names_pin``: it carries a ``pin_id`` to look up.
    """

    name: str
    table: str
    fields: tuple[Field, ...] = ()
    embeds_pin: bool = False
    names_pin: bool = False

    @property
    def has_pin(self) -> bool:
        """Whether rows of this type carry a pin's columns."""
        return self.embeds_pin or self.names_pin


PIN_ID = Field("pin_id", Type.INT64, "The pin that was acted on")

EVENT_TYPES: dict[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType("pin", "pins", embeds_pin=True),
        EventType(
            "repin",
            "repins",
            (PIN_ID, Field("board_id", Type.INT64, "The board the pin was saved to")),
            names_pin=True,
        ),
        EventType(
            "comment",
            "comments",
            (PIN_ID, Field("text", Type.STRING, "The comment as written", max_chars=5000)),
            names_pin=True,
        ),
        EventType(
            "login",
            "logins",
            (Field("client", Type.STRING, "App the person used", allowed=("ios", "android", "web")),),
        ),
    )
}
TABLES: dict[str, EventType] = {kind.table: kind for kind in EVENT_TYPES.values()}

# In the order of computation: ``pin_firsts`` reads ``pin_hourly``.
ROLLUP_TABLES = (
    "brand_hourly",
    "brand_daily",
    "brand_country_daily",
    "category_hourly",
    "country_hourly",
    "pin_hourly",
    "pin_firsts",
    "people_daily",
    "people_hourly",
    "person_homes",
)
ROLLUPS = "rollups"  # the name under which the progress of all rollups is kept, next to that of each table

DEAD_LETTER = "dead_letter"  # the event_type partition of the lake that holds dead letters

# A pin's field -> the lake's column; prefixed where an event's own field has the same name.
PIN_COLUMN_OF = {
    "creator_id": "pin_creator_id",
    "board_id": "pin_board_id",
    "brand_id": "brand_id",
    "category": "category",
    "title": "title",
    "description": "description",
    "link": "link",
    "image_url": "image_url",
    "created_at": "pin_created_at",
}
PIN_COLUMNS = tuple(Column(PIN_COLUMN_OF[f.name], f.type, f.meaning) for f in PIN_FIELDS if f.name != "pin_id")

UNREADABLE = "unreadable"  # in the place of the location database's build: a value came that is no address
LOCATION_COLUMNS = (
    Column("country_code", Type.STRING, "ISO 3166-1 alpha-2 code of the country; null when unknown"),
    Column("region", Type.STRING, "First-level region, in English"),
    Column("city", Type.STRING, "City, in English"),
    Column("latitude", Type.DOUBLE, "Degrees north, WGS 84"),
    Column("longitude", Type.DOUBLE, "Degrees east, WGS 84"),
    Column("ip_network", Type.STRING, "The address cut to its /24 (IPv4) or /48 (IPv6) network"),
    Column("geo_version", Type.STRING, "Build of the location database that was asked; unreadable: no address"),
)

LINEAGE_COLUMNS = (
    Column("kafka_partition", Type.INT32, "Partition the record came from"),
    Column("kafka_offset", Type.INT64, "Offset of the record in its partition"),
    Column("kafka_timestamp", Type.TIMESTAMP, "When Kafka received the record; when it landed if that can't be right"),
)
LINEAGE = tuple(column.name for column in LINEAGE_COLUMNS)
# The version of a pin that a pin event brought. The greater one is newer, whatever the order in which they come.
PIN_VERSION = ("occurred_at", "kafka_partition", "kafka_offset")

DEAD_COLUMNS = (
    Column("dead_reason", Type.STRING, "Why the record could not land; see DeadReason"),
    Column("dead_detail", Type.STRING, "The field and value at fault"),
    Column("dead_value", Type.BINARY, "The record's bytes, with addresses cut to their networks"),
)

PIN_STATUS_COLUMN = Column("pin_status", Type.STRING, "How the row got its pin; see PinStatus; null for logins")
EXTRA_COLUMN = Column(
    "extra", Type.STRING, "JSON object of the fields that the contract does not know, as they came; null if none"
)


def _own_columns(kinds: list[EventType]) -> tuple[Column, ...]:
    """Columns of the event types' own fields, in order of first appearance, each once."""
    columns = {f.name: Column(f.name, f.type, f.meaning) for kind in kinds for f in kind.fields}
    columns.setdefault(PIN_ID.name, Column(PIN_ID.name, PIN_ID.type, PIN_ID.meaning))
    return tuple(columns.values())


# The lake's ``events`` table: one row per Kafka record, partitioned by event_date and event_type.
LAKE_COLUMNS = (
    Column("event_date", Type.DATE, "UTC day of occurred_at; of kafka_timestamp for dead letters"),
    Column("event_type", Type.STRING, "Event type, or dead_letter"),
    Column("event_id", Type.STRING, COMMON_FIELDS[0].meaning),
    Column("occurred_at", Type.TIMESTAMP, "Event time, UTC"),
    Column("user_id", Type.INT64, "The person who acted"),
    *_own_columns(list(EVENT_TYPES.values())),
    *PIN_COLUMNS,
    PIN_STATUS_COLUMN,
    *LOCATION_COLUMNS,
    EXTRA_COLUMN,
    *DEAD_COLUMNS,
    *LINEAGE_COLUMNS,
)
LAKE_PARTITIONS = ("event_date", "event_type")
HOUR_COLUMN = "occurred_hour"  # in the reporting tables only


def landed_columns(kind: EventType) -> list[str]:
    """The names of the reporting columns that the lake has too: all but the hour."""
    return [c.name for c in reporting_columns(kind) if c.name != HOUR_COLUMN]


def reporting_columns(kind: EventType) -> tuple[Column, ...]:
    """Columns of the reporting table of an event type, in order; grain: one row per event_id.

    The table of the type that embeds the pin has all of it; the others have the columns that rollups group by.
    """
    keep = {f.name for f in kind.fields} | ({PIN_ID.name} if kind.has_pin else set())
    own = tuple(c for c in _own_columns([kind]) if c.name in keep)
    pin: tuple[Column, ...] = ()
    if kind.embeds_pin:
        pin = PIN_COLUMNS
    elif kind.names_pin:
        pin = (*(c for c in PIN_COLUMNS if c.name in ("pin_creator_id", "brand_id", "category")), PIN_STATUS_COLUMN)
    return (
        Column("event_id", Type.STRING, COMMON_FIELDS[0].meaning),
        Column("occurred_at", Type.TIMESTAMP, "Event time, UTC"),
        Column(HOUR_COLUMN, Type.TIMESTAMP, "Start of the UTC hour of occurred_at; what rollups group by"),
        Column("user_id", Type.INT64, "The person who acted"),
        *own,
        *pin,
        *LOCATION_COLUMNS,
        *LINEAGE_COLUMNS,
    )
