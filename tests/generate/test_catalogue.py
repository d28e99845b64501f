"""The catalogue: the same in every process, within the contract, and with enough awkward values."""

from contextlib import closing

import pytest

from pinwheel.core.contract import PIN_FIELDS
from pinwheel.core.settings import MemsqlSettings
from pinwheel.enrich.pin_sources import read_pin
from pinwheel.generate import catalogue as module
from pinwheel.generate.catalogue import Catalogue, save_brands
from pinwheel.generate.words import AWKWARD

SAMPLE = range(1, 5001)


@pytest.fixture(scope="module")
def pins() -> list[dict[str, object]]:
    return Catalogue(7).pin_rows(SAMPLE)


def test_a_pin_is_a_function_of_seed_and_id(pins: list[dict[str, object]]) -> None:
    assert Catalogue(7).pin_rows([3, 2, 1]) == [pins[2], pins[1], pins[0]]
    assert Catalogue(8).pin(1) != pins[0]


def test_ids_outside_the_catalogue_are_no_pins() -> None:
    catalogue = Catalogue(7, pins=10)
    assert [catalogue.pin(i) for i in (-1, 0, 11)] == [None, None, None]
    assert [catalogue.brand_of(i) for i in (0, 11)] == [None, None]
    assert [pin["pin_id"] for pin in catalogue.pin_rows([0, 10, 11, 1])] == [10, 1]


def test_every_pin_meets_the_contract(pins: list[dict[str, object]]) -> None:
    assert [list(pin) for pin in pins] == [[f.name for f in PIN_FIELDS]] * len(pins)
    assert None not in [read_pin(pin) for pin in pins]


def test_brands_and_creators_agree_with_the_pin(pins: list[dict[str, object]]) -> None:
    catalogue = Catalogue(7)
    assert [catalogue.brand_of(i) for i in SAMPLE] == [pin["brand_id"] for pin in pins]
    assert [catalogue.creator_of(i) for i in SAMPLE] == [pin["creator_id"] for pin in pins]


def test_shares(pins: list[dict[str, object]]) -> None:
    branded = [pin["brand_id"] for pin in pins if pin["brand_id"] is not None]
    assert len(branded) / len(pins) == pytest.approx(0.4, abs=0.03)
    assert set(branded) <= set(range(1, 501))
    assert len({pin["category"] for pin in pins}) == 20
    assert {pin["title"] for pin in pins} >= {None, *AWKWARD}


def test_brands_have_names_of_their_own() -> None:
    brands = Catalogue(7, brands=1200).brand_list()
    assert [b.brand_id for b in brands] == list(range(1, 1201))
    assert len({b.name for b in brands}) == len({b.contact for b in brands}) == 1200


def test_save_brands_upserts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[str, list[dict[str, object]]]] = []
    done: list[str] = []

    class Connection:
        def commit(self) -> None:
            done.append("commit")

        def close(self) -> None:
            done.append("close")

    monkeypatch.setattr(module, "connect", lambda settings: closing(Connection()))
    monkeypatch.setattr(module, "execute_many", lambda connection, name, rows: saved.append((name, rows)))
    assert save_brands(Catalogue(7, brands=3), MemsqlSettings()) == 3
    assert saved[0][0] == "generate/upsert_brands"
    assert [row["brand_id"] for row in saved[0][1]] == [1, 2, 3]
    assert done == ["commit", "close"]
