"""Letters by day and reason: all of them, a file read once, and few files at once."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.lake import letter_days
from pinwheel.lake.letter_days import DAYS, LetterDay, LetterDays
from tests.support.live_lakes import event, land
from tests.support.places import on_disk_and_in_a_store

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def letters(reason: str, count: int, days: int = 0) -> list[dict[str, Any]]:
    return [event("dead_letter", NOW - timedelta(days=days), dead_reason=reason) for _ in range(count)]


def test_no_lake_is_nothing(tmp_path: Path) -> None:
    assert LetterDays().count(f"{tmp_path}/events", NOW) == []


@on_disk_and_in_a_store
def test_letters_are_counted_by_day_and_reason(place: str) -> None:
    land(place, letters("not_json", 2) + letters("empty", 1) + [event("repin", NOW)])
    uri = land(place, letters("not_json", 1) + letters("bad_time", 4, days=29) + letters("empty", 9, days=30))
    found = LetterDays().count(uri, NOW)
    assert [day for day in found if day.reasons] == [
        LetterDay(date(2026, 2, 13), {"bad_time": 4}, True),
        LetterDay(date(2026, 3, 14), {"not_json": 3, "empty": 1}, True),
    ]
    assert (found[0].day, len(found)) == (date(2026, 2, 13), DAYS)


def test_few_files_are_read_at_once_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_days, "MAX_FILES", 2)
    for _ in range(3):
        uri = land(tmp_path, letters("not_json", 1))
    days = LetterDays()
    assert days.count(uri, NOW)[-1] == LetterDay(NOW.date(), {"not_json": 2}, False)
    assert days.count(uri, NOW)[-1] == LetterDay(NOW.date(), {"not_json": 3}, True)
    monkeypatch.setattr(letter_days, "_counted", lambda *_: 1 / 0)
    assert days.count(uri, NOW)[-1] == LetterDay(NOW.date(), {"not_json": 3}, True)
    DeltaTable(uri).delete("event_type = 'dead_letter'")
    assert days.count(uri, NOW)[-1].reasons == {}
