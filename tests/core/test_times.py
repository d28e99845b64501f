"""UTC times with and without a zone."""

from datetime import UTC, datetime, timedelta, timezone

from pinwheel.core.times import EPOCH, aware, naive

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
