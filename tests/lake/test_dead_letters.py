"""The newest dead letters of a real lake: counted by reason, a few of them shown, and none with an IP address."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwheel.lake import dead_letters
from pinwheel.lake.dead_letters import readable, summary
from tests.support.live_lakes import event, land

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def letter(n: int, reason: str, at: datetime = NOW, **values: Any) -> dict[str, Any]:
    given = {"dead_reason": reason, "dead_detail": f"detail {n}", "dead_value": b"{}", "kafka_partition": 0}
    return event("dead_letter", at, kafka_offset=n, **given | values)


def test_no_lake_and_no_dead_letters_are_nothing(tmp_path: Path) -> None:
    nothing = dead_letters.Summary(0, None, True, ())
    assert summary(f"{tmp_path}/events", NOW) == nothing
    uri = land(tmp_path, [event("repin", NOW)])
    assert summary(uri, NOW) == nothing


def test_reasons_are_counted_and_the_newest_shown(tmp_path: Path) -> None:
    later = [NOW + timedelta(seconds=n) for n in range(10)]
    land(tmp_path, [letter(n, "not_json", later[n], dead_value=b"<b>%d" % n) for n in range(5)])
    uri = land(tmp_path, [letter(7, "empty", later[7], dead_value=None), event("repin", NOW)])
    found = summary(uri, NOW)
    assert (found.letters, found.since, found.is_all) == (6, NOW, True)
    assert [(r.reason, r.letters) for r in found.reasons] == [("not_json", 5), ("empty", 1)]
    assert [(s.kafka_offset, s.value, s.detail) for s in found.reasons[0].samples] == [
        (4, "<b>4", "detail 4"),
        (3, "<b>3", "detail 3"),
        (2, "<b>2", "detail 2"),
    ]
    assert [s.value for s in found.reasons[1].samples] == [""]


def test_the_same_offset_of_two_partitions_is_two_records(tmp_path: Path) -> None:
    same = [letter(5, "not_json", kafka_partition=p, dead_value=b"of %d" % p) for p in (0, 1)]
    (reason,) = summary(land(tmp_path, same), NOW).reasons
    assert {(s.kafka_partition, s.value) for s in reason.samples} == {(0, "of 0"), (1, "of 1")}


def test_older_days_are_not_looked_at(tmp_path: Path) -> None:
    old = [letter(n, "not_json", NOW - timedelta(days=n)) for n in range(4)]
    assert summary(land(tmp_path, old), NOW).letters == 2


def test_the_cost_is_bounded_and_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MAX_FILES", 2)
    for n in range(4):
        uri = land(tmp_path, [letter(n, "not_json", NOW + timedelta(seconds=n))])
    found = summary(uri, NOW)
    assert (found.letters, found.since, found.is_all) == (2, NOW + timedelta(seconds=2), False)
    monkeypatch.setattr(dead_letters, "MAX_ROWS", 1)
    assert (summary(uri, NOW).letters, summary(uri, NOW).is_all) == (1, False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", ""),
        (b"\xff\x00caf\xc3\xa9", "\\xff\x00café"),
        (b'{"ip": "203.0.113.9", "user_id": 1}', '{"ip": "…", "user_id": 1}'),
        (b'{"ip":"2001:db8::1', '{"ip":"…'),
        (b"a" * 600, "a" * 500 + "…"),
        (b"\xf0\x9f\x8c\xbb" * 501, "🌻" * 500 + "…"),
    ],
    ids=["nothing", "bytes", "address", "cut address", "long", "emoji"],
)
def test_bytes_as_text(value: bytes, text: str) -> None:
    assert readable(value) == text
