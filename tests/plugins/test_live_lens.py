"""The part of a batch that one viewer sees."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from pinwheel.lake.tail import COLUMNS, Batch
from plugins.web.live_lens import Lens, LiveUpdate
from tests.support.live_lakes import LIMA, NOWHERE, START, event, rows

ALL = frozenset({"repin", "pin", "comment", "login"})


def seen(events: list[dict[str, Any]], **lens: Any) -> LiveUpdate:
    given = {"types": frozenset({"repin"}), "brands": None, "category": None, "max_points": 100} | lens
    batch = Batch(7, rows(events).select(COLUMNS), START, START, 2.0)
    return Lens(**given).update(batch, START + timedelta(seconds=1))


def test_events_of_one_place_are_one_circle() -> None:
    later = START + timedelta(seconds=1)
    told = seen([event(), event(at=later), event(**LIMA), event("comment")])
    assert told.places.model_dump() == {
        "event_type": ["repin", "repin"],
        "latitude": [-12.0, 48.9],
        "longitude": [-77.0, 2.4],
        "city": ["Lima", "Paris"],
        "country_code": ["PE", "FR"],
        "events": [1, 2],
        "at": [int(START.timestamp() * 1000), int(later.timestamp() * 1000)],
    }
    assert told.counts == {"repin": 3, "comment": 1, "pin": 0, "login": 0}
    assert (told.version, told.seconds, told.one_in, told.unplaced) == (7, 2.0, 1, 0)


def test_the_types_that_are_on() -> None:
    told = seen([event(), event("login", brand_id=None), event("pin")], types=frozenset({"login", "pin"}))
    assert sorted(told.places.event_type) == ["login", "pin"]


def test_more_than_can_be_drawn_is_sampled_and_said() -> None:
    places = [event(latitude=float(i % 80), longitude=float(i)) for i in range(95)]
    told = seen(places, max_points=10)
    assert told.one_in == 10
    assert sum(told.places.events) == 10
    assert told.counts["repin"] == 95


def test_who_is_bound_sees_nothing_of_others() -> None:
    events = [event(brand_id=1), event(brand_id=2, **LIMA), event(brand_id=None, **LIMA), event("login", brand_id=None)]
    told = seen(events, brands=frozenset({1}), types=ALL)
    assert told.places.city == ["Paris"]
    assert told.counts == {"repin": 1, "comment": 0, "pin": 0, "login": 0}
    assert seen(events, brands=frozenset(), types=ALL).counts["repin"] == 0


def test_a_category() -> None:
    told = seen([event(category="food"), event(category="art"), event(category=None)], category="art")
    assert told.counts["repin"] == 1


def test_no_location_is_counted_and_not_drawn() -> None:
    told = seen([event(**NOWHERE), event()])
    assert (told.unplaced, told.counts["repin"], sum(told.places.events)) == (1, 2, 1)


def test_the_pins_with_the_most_events_of_the_shown_types_are_named() -> None:
    cake: dict[str, Any] = {"pin_id": 2**62 + 1, "title": "<b>Cake</b>"}
    events = [event(**cake), event(**cake), event("comment", pin_id=9), event("login", pin_id=None)]
    events += [event(pin_id=n) for n in (8, 7, 6, 5, 4)] + [event(pin_id=3, brand_id=2)] * 3
    told = seen(events, brands=frozenset({1}), types=frozenset({"repin", "login"}))
    assert [(pin.pin_id, pin.title) for pin in told.pins] == [
        (str(2**62 + 1), "<b>Cake</b>"),
        *[(str(n), None) for n in (4, 5, 6, 7)],
    ]


@pytest.mark.parametrize("city", [None, "<img src=x onerror=alert(1)>", "\u202e" + "x" * 500, "😀"])
def test_a_city_is_passed_on_as_it_is(city: str | None) -> None:
    assert seen([event(city=city)]).places.city == [city]


def test_a_batch_without_events_for_this_viewer_is_told() -> None:
    told = seen([event(category="food")], category="art")
    assert told.places.at == []
    assert isinstance(told.newest_at, int)
    assert datetime.fromtimestamp(told.newest_at / 1000, START.tzinfo) == START
