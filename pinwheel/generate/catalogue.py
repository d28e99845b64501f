"""The made-up catalogue of pins and brands: a pure function of a seed and an id, so nothing is stored.

The Pin API stand-in, the generator and the tests each build their own copy; all are identical.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from struct import Struct
from typing import Any

from pinwheel.clients.memsql import connect, execute_many
from pinwheel.core.settings import MemsqlSettings
from pinwheel.generate.words import ADJECTIVES, AWKWARD, BRAND_FIRST, BRAND_SECOND, CATEGORIES, REASONS

PINS = 200_000
BRANDS = 500
PEOPLE = 100_000
BOARDS_PER_PERSON = 8
BRANDED_PERCENT = 40
AWKWARD_PERCENT = 3
# Days on which pins were made, as texts: strftime per pin took a fifth of the time to make a pin.
DAYS = tuple((date(2021, 1, 1) + timedelta(days=n)).isoformat() for n in range(5 * 365))

Pin = dict[str, Any]  # in the shape of the Pin API and of a pin event's ``pin``

_NAMES = tuple(CATEGORIES)
_DRAWS = Struct("<8I")  # eight independent 32-bit draws per pin


@dataclass(frozen=True)
class Brand:
    """A brand as the table ``brands`` has it."""

    brand_id: int
    name: str
    contact: str


@dataclass(frozen=True)
class Catalogue:
    """All pins and brands of one seed.

    Args:
        seed: another seed gives other pins and brands.
        pins: pin ids are 1 … pins.
        brands: brand ids are 1 … brands.
        people: creators are 1 … people.
        api_only_from: pins from this id on have no pin event: only the Pin API knows them.
    """

    seed: int = 2015
    pins: int = PINS
    brands: int = BRANDS
    people: int = PEOPLE
    api_only_from: int = PINS // 2 + 1

    def pin(self, pin_id: int) -> Pin | None:
        """One pin; None outside the catalogue."""
        if not 1 <= pin_id <= self.pins:
            return None
        person, board, brand, kind, text, more, odd, age = self._draws(pin_id)
        category = _NAMES[kind % len(_NAMES)]
        creator = 1 + person % self.people
        return {
            "pin_id": pin_id,
            "creator_id": creator,
            "board_id": creator * BOARDS_PER_PERSON + board % BOARDS_PER_PERSON,
            "brand_id": self._brand_id(brand),
            "category": category,
            "title": _title(category, text, odd),
            "description": _description(category, more, odd),
            "link": None if more % 10 == 0 else f"https://{category}.example/{pin_id}",
            "image_url": f"https://images.example/{pin_id % 97}/{pin_id}.jpg",
            "created_at": _time(age),
        }

    def pin_rows(self, pin_ids: Iterable[int]) -> list[Pin]:
        """The pins of those ids that exist, in the given order."""
        return [pin for pin_id in pin_ids if (pin := self.pin(pin_id)) is not None]

    def brand_of(self, pin_id: int) -> int | None:
        """The brand only, without building the pin's texts."""
        return self._brand_id(self._draws(pin_id)[2]) if 1 <= pin_id <= self.pins else None

    def creator_of(self, pin_id: int) -> int:
        """The creator only; the pin must exist."""
        return 1 + self._draws(pin_id)[0] % self.people

    def brand_list(self) -> list[Brand]:
        """All brands; no two have the same name."""
        return [_brand(brand_id) for brand_id in range(1, self.brands + 1)]

    def _draws(self, pin_id: int) -> tuple[int, ...]:
        return _DRAWS.unpack(blake2b(b"%d:%d" % (self.seed, pin_id), digest_size=_DRAWS.size).digest())

    def _brand_id(self, draw: int) -> int | None:
        """A brand or none; low ids are the big brands, because the square of a uniform draw favours them."""
        if draw % 100 >= BRANDED_PERCENT:
            return None
        share = (draw // 100) / (2**32 // 100 + 1)
        return 1 + int(self.brands * share * share)


def _brand(brand_id: int) -> Brand:
    number = brand_id - 1
    pairs = len(BRAND_FIRST) * len(BRAND_SECOND)
    turn, place = divmod(number, len(BRAND_FIRST))
    # 7 and the 25 first names are coprime, so neighbours differ and each pair occurs once.
    first = BRAND_FIRST[place * 7 % len(BRAND_FIRST)]
    second = BRAND_SECOND[(turn + place) % len(BRAND_SECOND)]
    suffix = "" if number < pairs else f" {number // pairs + 1}"
    mailbox = f"{first}-{second.split()[-1].strip('.')}{suffix.strip()}".lower()
    return Brand(brand_id, f"{first} {second}{suffix}", f"marketing@{mailbox}.example")


def _time(draw: int) -> str:
    day, second = divmod(draw % (len(DAYS) * 86_400), 86_400)
    return f"{DAYS[day]}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def _title(category: str, draw: int, odd: int) -> str | None:
    if odd % 100 < AWKWARD_PERCENT:
        return AWKWARD[odd // 100 % len(AWKWARD)]
    if odd % 100 == AWKWARD_PERCENT:
        return None
    things = CATEGORIES[category]
    adjective, thing = ADJECTIVES[draw % len(ADJECTIVES)], things[draw // 32 % len(things)]
    return f"{adjective} {thing} {REASONS[draw // 1024 % len(REASONS)]}".capitalize()


def _description(category: str, draw: int, odd: int) -> str | None:
    if odd % 1000 == 7:
        return (AWKWARD[draw % len(AWKWARD)] + " ") * 80  # the longest: up to 4,800 characters of a possible 5,000
    if draw % 5 == 0:
        return None
    things = CATEGORIES[category]
    return (
        f"A {ADJECTIVES[draw // 8 % len(ADJECTIVES)]} take on the {things[draw // 256 % len(things)]}, "
        f"{REASONS[draw // 4096 % len(REASONS)]}. Filed under {category}."
    )


def save_brands(catalogue: Catalogue, settings: MemsqlSettings) -> int:
    """Upsert the catalogue's brands into ``brands``; returns how many. Idempotent."""
    rows = [{"brand_id": b.brand_id, "name": b.name, "contact": b.contact} for b in catalogue.brand_list()]
    with connect(settings) as connection:
        execute_many(connection, "generate/upsert_brands", rows)
        connection.commit()
    return len(rows)
