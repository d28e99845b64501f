"""UTC times with and without a zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pinwheel.core.times import EPOCH, aware, naive, of_milliseconds

NOON = datetime(2026, 3, 14, 12, 0, 0, 1, tzinfo=UTC)


def test_there_and_back() -> None:
    assert aware(naive(NOON)) == NOON
    assert naive(NOON).tzinfo is None


def test_another_zone_is_written_as_utc() -> None:
    assert naive(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == datetime(2026, 3, 14, 12, 0, 0, 1)


def test_nothing_stays_nothing() -> None:
    assert aware(None) is None


def test_the_epoch_has_a_zone() -> None:
    assert EPOCH.timestamp() == 0


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, EPOCH),
        (1_764_000_000_123, datetime(2025, 11, 24, 16, 0, 0, 123_000, tzinfo=UTC)),
        (-(2**63), datetime.min.replace(tzinfo=UTC)),
        (1_764_000_000_123_000, datetime.max.replace(tzinfo=UTC)),
        (2**63 - 1, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_any_milliseconds_are_a_time(milliseconds: int, expected: datetime) -> None:
    assert of_milliseconds(milliseconds) == expected
