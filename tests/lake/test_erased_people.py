"""The list of erased people: it is read with its key alone, and a wrong key stops the stream."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pinwheel.core.errors import LakeError
from pinwheel.enrich.pin_sources import VALUE_FIELDS, PinRow
from pinwheel.lake import erased_people
from pinwheel.lake.erased_people import LISTED_SECONDS, ErasedPeople
from tests.support.places import on_disk_and_in_a_store

KEY = SecretStr("a key")


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pin(**values: object) -> PinRow:
    return tuple(values.get(field.name) for field in VALUE_FIELDS)


@on_disk_and_in_a_store
def test_who_is_listed_is_known(place: str) -> None:
    assert ErasedPeople(place, KEY).of([1, 2, None]) == {}
    erased_people.add(place, KEY, 1, pins=False)
    erased_people.add(place, KEY, 2, pins=True)
    erased_people.add(place, KEY, 2, pins=True)
    assert ErasedPeople(place, KEY).of([1, 2, 3, None]) == {1: False, 2: True}


def test_pins_are_asked_for_later(tmp_path: Path) -> None:
    erased_people.add(str(tmp_path), KEY, 1, pins=True)
    erased_people.add(str(tmp_path), KEY, 1, pins=False)
    assert ErasedPeople(str(tmp_path), KEY).of([1]) == {1: True}


def test_nobody_can_be_looked_up_by_the_files(tmp_path: Path) -> None:
    erased_people.add(str(tmp_path), KEY, 1, pins=False)
    other = tmp_path / "other"
    erased_people.add(str(other), SecretStr("another"), 1, pins=False)
    (mine,), (theirs,) = ([p.name for p in (f / erased_people.FOLDER).iterdir()] for f in (tmp_path, other))
    assert set(mine.split("-")).isdisjoint(theirs.split("-"))


def test_a_worker_sees_who_is_added_within_seconds(tmp_path: Path) -> None:
    clock = Clock()
    people = ErasedPeople(str(tmp_path), KEY, clock)
    assert not people
    erased_people.add(str(tmp_path), KEY, 1, pins=False)
    assert not people, "it does not look for each batch"
    clock.now = LISTED_SECONDS
    assert people.of([1]) == {1: False}


@pytest.mark.parametrize("key", ["another", ""])
def test_a_list_that_can_not_be_read_is_an_error(tmp_path: Path, key: str) -> None:
    erased_people.add(str(tmp_path), KEY, 1, pins=False)
    with pytest.raises(LakeError, match="PINWHEEL_ERASURE_KEY"):
        ErasedPeople(str(tmp_path), SecretStr(key)).of([1])


def test_without_a_list_no_key_is_needed(tmp_path: Path) -> None:
    assert ErasedPeople(str(tmp_path), SecretStr("")).of([1]) == {}


def test_pins_of_a_source_lose_their_maker(tmp_path: Path) -> None:
    people = ErasedPeople(str(tmp_path), KEY)
    pins = {
        7: pin(creator_id=1, brand_id=70, title="a"),
        8: pin(creator_id=2, title="b"),
        9: pin(creator_id=3, title="c"),
    }
    assert people.strip(pins) is pins
    erased_people.add(str(tmp_path), KEY, 1, pins=False)
    erased_people.add(str(tmp_path), KEY, 2, pins=True)
    assert ErasedPeople(str(tmp_path), KEY).strip(pins) == {7: pin(brand_id=70, title="a"), 8: pin(), 9: pins[9]}
