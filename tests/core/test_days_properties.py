"""The days of a time zone tile time, whatever its clocks do; and which names are time zones."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinwheel.core.days import hours, local, midnight, names, zone
from pinwheel.core.errors import PinwheelError
from pinwheel.core.times import HOUR, naive

# In Newfoundland, clocks were set back over midnight, at 00:01, until 2011.
DAYS = st.dates(date(2012, 1, 1), date(2037, 12, 31))
ZONES = st.sampled_from(sorted(names()))
DAY = timedelta(days=1)
CHANGES = [  # day, zone, its hours
    (date(2026, 3, 29), "Europe/Berlin", 23.0),
    (date(2026, 10, 25), "Europe/Berlin", 25.0),
    (date(2026, 3, 14), "Asia/Kathmandu", 24.0),
    (date(2026, 4, 5), "Australia/Lord_Howe", 24.5),
    (date(2026, 10, 4), "Australia/Lord_Howe", 23.5),
    (date(2026, 3, 8), "America/Havana", 23.0),  # has no midnight
    (date(2026, 11, 1), "America/Havana", 25.0),  # has two
    (date(2011, 12, 30), "Pacific/Apia", 0.0),  # was left out
]


def span(day: date, time_zone: str) -> timedelta:
    return midnight(day + DAY, time_zone) - midnight(day, time_zone)


@pytest.mark.parametrize(("day", "time_zone", "length"), CHANGES, ids=str)
def test_known_days(day: date, time_zone: str, length: float) -> None:
    assert span(day, time_zone) / HOUR == length
    assert len(hours(midnight(day, time_zone), midnight(day + DAY, time_zone), time_zone)) == round(length + 0.1)


@given(DAYS, ZONES)
def test_a_day_has_23_to_25_hours(day: date, time_zone: str) -> None:
    longest_change = 3 if time_zone.startswith("Antarctica/") else 1  # stations change sides at once
    assert abs(span(day, time_zone) - DAY) <= longest_change * HOUR


@given(DAYS, ZONES)
@example(date(2026, 10, 25), "Europe/Berlin")
@example(date(2026, 4, 5), "Australia/Lord_Howe")
@example(date(2026, 10, 4), "Australia/Lord_Howe")
def test_hours_tile_the_day(day: date, time_zone: str) -> None:
    start, end = midnight(day, time_zone), midnight(day + DAY, time_zone)
    found = hours(start, end, time_zone)
    ends = [*(hour.at for hour in found[1:]), end]
    assert found[0].at == start
    assert all(timedelta() < after - hour.at <= HOUR for hour, after in zip(found, ends, strict=True))
    for hour, after in zip(found, ends, strict=True):
        assert naive(hour.local) == hour.at
        assert local(after - timedelta.resolution, time_zone).hour == hour.local.hour, "one hour by the clock"
    assert len({(hour.local.hour, hour.local.utcoffset()) for hour in found}) == len(found)
    assert all(one.local.hour != other.local.hour or other.local.fold for one, other in pairwise(found))


@given(st.datetimes(datetime(2012, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)), ZONES)
@example(datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 3, 28, 23, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 3, 13, 18, 30, tzinfo=UTC), "Asia/Kolkata")
def test_every_event_is_in_the_one_day_that_its_clock_shows(at: datetime, time_zone: str) -> None:
    shown = at.astimezone(ZoneInfo(time_zone)).date()
    around = [shown + n * DAY for n in range(-2, 3)]
    assert [d for d in around if midnight(d, time_zone) <= naive(at) < midnight(d + DAY, time_zone)] == [shown]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("europe/berlin", r"no time zone 'europe/berlin' .* did you mean Europe/Berlin"),
        ("Asia/Calcuta", "Asia/Calcutta"),
        ("Berlin", "names are like Europe/Berlin"),
        ("", "names are like"),
        ("../etc/passwd", "no time zone"),
        ("localtime", "no time zone"),
    ],
)
def test_a_name_that_is_none_says_which_are_near(name: str, says: str) -> None:
    with pytest.raises(PinwheelError, match=says):
        zone(name)
