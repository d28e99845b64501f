"""A row of the lake against the record that it comes from, by the contract in plain Python."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwheel.core.contract import DEAD_LETTER, EVENT_TYPES, DeadReason
from pinwheel.enrich.addresses import bytes_without_addresses, without_addresses
from tests.support.contract import LARGEST, judge, members
from tests.support.hostile import HOSTS, Value

Row = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KAFKAS_FIRST = datetime(2011, 1, 1, tzinfo=UTC)
HOST = b"|".join(re.escape(host.encode(code)) for host in HOSTS for code in ("utf-8", "utf-16-le", "utf-32-le"))
ADDRESS = re.compile(rb"(?<![0-9A-Fa-f:.])(?:%s)(?![0-9A-Fa-f:.])" % HOST)
NETWORKS = {
    "198.51.100.77": "198.51.100.0/24",
    "203.0.113.201": "203.0.113.0/24",
    "2001:db8:1:2::77": "2001:db8:1::/48",
}
OWN = {"event_id", "user_id", "occurred_at", "client", "text", "board_id"}  # null if the event has none
REASONS = {reason.value for reason in DeadReason} - {DeadReason.ERASED, DeadReason.UNPROCESSABLE}


def check(row: Row, sent: Value, now: datetime) -> None:
    """Compare them.

    Raises:
        AssertionError: the row is not what the record has to become.
    """
    _check_time(row, sent, now)
    wanted, values = judge(sent.value, row["kafka_timestamp"])
    assert row["dead_reason"] == wanted, (row["dead_reason"], row["dead_detail"], wanted)
    shown = b"".join(str(row[name]).encode() for name in ("extra", "dead_detail", "ip_network")) + (
        row["dead_value"] or b""
    )
    assert not ADDRESS.search(shown), f"a full address: {shown!r:.500}"
    if wanted:
        _check_letter(row, sent.value)
    else:
        _check_event(row, values)


def _check_time(row: Row, sent: Value, now: datetime) -> None:
    """Kafka's time if it can be right, or when the record landed."""
    latest = now + timedelta(seconds=600)
    milliseconds = timedelta(milliseconds=1)
    if (KAFKAS_FIRST - EPOCH) // milliseconds <= sent.timestamp <= (latest - EPOCH) // milliseconds:
        assert row["kafka_timestamp"] == EPOCH + sent.timestamp * milliseconds
    else:
        assert now - timedelta(minutes=10) < row["kafka_timestamp"] < latest


def _check_letter(row: Row, value: bytes | None) -> None:
    assert row["event_type"] == DEAD_LETTER
    assert row["dead_reason"] in REASONS
    assert row["dead_detail"]
    assert row["dead_value"] == (None if value is None else bytes_without_addresses(value[:LARGEST]))
    assert row["event_date"] == row["kafka_timestamp"].date()
    assert not [name for name in (*OWN, "pin_id", "title", "extra", "ip_network") if row[name] is not None]


def _check_event(row: Row, values: Row) -> None:
    extra, address = values.pop("extra", None), values.pop("ip", None)
    values.pop("pin", None)
    assert row["event_type"] in EVENT_TYPES
    assert row["dead_detail"] is row["dead_value"] is None
    assert row["event_date"] == values["occurred_at"].date()
    wrong = {name: (row[name], value) for name, value in values.items() if row[name] != value}
    wrong |= {name: row[name] for name in OWN - values.keys() if row[name] is not None}
    assert not wrong, wrong
    if address in NETWORKS:
        assert row["ip_network"] == NETWORKS[address]
    found = [] if row["extra"] is None else members(row["extra"])
    pins = [raw for key, raw in found if row["event_type"] == "pin" and json.loads(key) == "pin"]
    found = [(key, raw) for key, raw in found if raw not in pins] + [member for raw in pins for member in members(raw)]
    assert sorted(found) == sorted(map(_cut, extra or [])), (found, extra)


def _cut(member: tuple[str, str]) -> tuple[str, str]:
    return without_addresses(member[0]), without_addresses(member[1])
