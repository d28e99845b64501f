"""Popularity of pins: Zipf's law over the catalogue, and one-minute bursts of a pin, brand or country."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.people import Ints, People

ZIPF_EXPONENT = 1.0  # the k-th pin gets 1/k of the first one's repins
BURST_FACTOR = 20
BURST_MAX_SHARE = 0.5  # of the events of the minute; the others stay as usual
BURST_SECONDS = 60
BURST_FIRST_SECONDS = 120  # after the start, so that there is a normal time before it
BURST_EVERY_SECONDS = 600
KINDS = ("pin", "brand", "country")
BURST_RANKS = (10, 200)  # pins that burst are well known, but not the most popular
COUNTRY_SHARES = (0.003, 0.05)  # countries that burst are neither tiny nor large


@dataclass(frozen=True)
class Burst:
    """A minute in which ``target``, a pin_id, brand_id or country_code, gets ``factor`` times its usual share."""

    kind: str
    target: str
    starts_at: datetime
    ends_at: datetime
    factor: int = BURST_FACTOR


@dataclass(frozen=True)
class Popularity:
    """Pins by rank, and the probability of each."""

    catalogue: Catalogue
    seed: int

    @cached_property
    def pin_ids(self) -> Ints:
        """Pin ids, the most popular first."""
        return 1 + np.random.default_rng((self.seed, 2)).permutation(self.catalogue.pins)

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """Share of each of ``pin_ids``; their sum is 1."""
        weights = np.power(np.arange(1.0, self.catalogue.pins + 1.0), -ZIPF_EXPONENT)
        return np.asarray(weights / weights.sum())

    @cached_property
    def _limits(self) -> npt.NDArray[np.float64]:
        return np.cumsum(self.shares)

    @cached_property
    def brand_ids(self) -> Ints:
        """Brand of each of ``pin_ids``; 0 for none."""
        return np.array([self.catalogue.brand_of(i) or 0 for i in self.pin_ids.tolist()], dtype=np.int64)

    def draw(self, rng: np.random.Generator, size: int) -> Ints:
        """Random pin ids, by popularity."""
        ranks = np.searchsorted(self._limits, rng.random(size)).clip(max=self.catalogue.pins - 1)
        return np.asarray(self.pin_ids[ranks])

    def draw_of_brand(self, rng: np.random.Generator, brand_id: int, size: int) -> Ints:
        """Random pin ids of one brand, by popularity."""
        own = self.brand_ids == brand_id
        return np.asarray(rng.choice(self.pin_ids[own], size, p=self.shares[own] / self.shares[own].sum()))


class Bursts:
    """Plans bursts and redirects events to them; the plan is a function of seed and start."""

    def __init__(self, popularity: Popularity, people: People, seed: int, start_us: int) -> None:
        self._popularity, self._people = popularity, people
        self._seed, self._start = seed, start_us // 1_000_000
        self._targets: dict[int, tuple[str, str, float]] = {}
        self.seen: dict[int, Burst] = {}

    def apply(self, rng: np.random.Generator, seconds: Ints, users: Ints, pins: Ints) -> None:
        """Change ``users`` and ``pins`` in place where ``seconds`` (since 1970) are in a burst."""
        since = seconds - self._start - BURST_FIRST_SECONDS
        inside = (since >= 0) & (since % BURST_EVERY_SECONDS < BURST_SECONDS)
        for number in np.unique(since[inside] // BURST_EVERY_SECONDS).tolist():
            members = np.flatnonzero(inside & (since // BURST_EVERY_SECONDS == number))
            self._turn(rng, number, members, users, pins)

    def _turn(self, rng: np.random.Generator, number: int, members: Ints, users: Ints, pins: Ints) -> None:
        kind, target, share = self._target(number)
        wanted = min(BURST_MAX_SHARE, (BURST_FACTOR - 1) * share / (1 - share))
        turned = members[rng.random(len(members)) < wanted]
        if kind == "pin":
            pins[turned] = int(target)
        elif kind == "brand":
            pins[turned] = self._popularity.draw_of_brand(rng, int(target), len(turned))
        else:
            users[turned] = rng.choice(1 + np.flatnonzero(self._people.countries == target), len(turned))
        start = self._start + BURST_FIRST_SECONDS + number * BURST_EVERY_SECONDS
        starts_at, ends_at = (datetime.fromtimestamp(s, UTC) for s in (start, start + BURST_SECONDS))
        self.seen.setdefault(number, Burst(kind, target, starts_at, ends_at))

    def _target(self, number: int) -> tuple[str, str, float]:
        """Kind and target of the burst of that number, and the target's usual share of all events."""
        if number not in self._targets:
            self._targets[number] = self._choose(number)
        return self._targets[number]

    def _choose(self, number: int) -> tuple[str, str, float]:
        rng = np.random.default_rng((self._seed, 3, number))
        kind = KINDS[number % len(KINDS)]
        shares = self._country_shares if kind == "country" else self._brand_shares
        if kind == "pin" or not shares:  # no shares: without a location database no country is known
            rank = min(int(rng.integers(*BURST_RANKS)), len(self._popularity.pin_ids) - 1)
            return "pin", str(self._popularity.pin_ids[rank]), float(self._popularity.shares[rank])
        target = sorted(shares)[int(rng.integers(len(shares)))]
        return kind, target, shares[target]

    @cached_property
    def _country_shares(self) -> dict[str, float]:
        names, counts = np.unique(self._people.countries, return_counts=True)
        shares = zip(names.tolist(), (counts / self._people.count).tolist(), strict=True)
        return {name: share for name, share in shares if name and COUNTRY_SHARES[0] <= share <= COUNTRY_SHARES[1]}

    @cached_property
    def _brand_shares(self) -> dict[str, float]:
        sums = np.bincount(self._popularity.brand_ids, weights=self._popularity.shares)
        return {str(brand): share for brand, share in enumerate(sums.tolist()) if brand and share > 0}
