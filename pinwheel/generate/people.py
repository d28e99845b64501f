"""The people who act: where they live, and when they are awake."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pinwheel.enrich.locations import Locator

PEOPLE_PER_HOME = 2.5  # people who share a router share its address
IPV6_SHARE = 0.15
NO_ADDRESS_SHARE = 0.03
PRIVATE_SHARE = 0.01  # behind a proxy that sends its own private address: valid, but without a location
# Blocks that the registries of Asia, North and South America, Europe and Africa assign to access providers.
IPV6_BLOCKS = (0x2400, 0x2401, 0x2600, 0x2601, 0x2603, 0x2804, 0x2A00, 0x2A01, 0x2A02, 0x2C0F)
# Probability to act by local hour, midnight first: lowest at 4:00, highest at 21:00.
RHYTHM = np.array([
    0.35, 0.22, 0.15, 0.11, 0.10, 0.12, 0.22, 0.38, 0.48, 0.50, 0.50, 0.52,
    0.60, 0.58, 0.52, 0.50, 0.54, 0.62, 0.72, 0.85, 0.96, 1.00, 0.85, 0.58,
])  # fmt: skip
DEGREES_PER_HOUR = 15
TURNS = 40  # draws until a person is awake; the last one acts in any case

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class People:
    """People by user id, 1 … count; element 0 of each array is user 1.

    ``addresses`` may be None; ``utc_offsets`` are whole hours; ``countries`` are "" where unknown.
    """

    addresses: list[str | None]
    utc_offsets: Ints
    countries: npt.NDArray[np.str_]

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.addresses)

    def acting(self, rng: np.random.Generator, seconds: Ints) -> Ints:
        """A user id that is probably awake for each time (seconds since 1970, UTC); low ids act more often."""
        chosen = self._anyone(rng, len(seconds))
        todo = np.arange(len(seconds))
        for _ in range(TURNS):
            hours = seconds[todo] // 3600 + self.utc_offsets[chosen[todo] - 1]
            todo = todo[rng.random(len(todo)) > RHYTHM[hours % 24]]
            if not len(todo):
                break
            chosen[todo] = self._anyone(rng, len(todo))
        return chosen

    def _anyone(self, rng: np.random.Generator, size: int) -> Ints:
        return 1 + (self.count * rng.random(size) ** 1.5).astype(np.int64)


def make_people(count: int, seed: int, locator: Locator | None) -> People:
    """Generate people; without a locator their longitude follows from their home and their country is unknown."""
    rng = np.random.default_rng((seed, 1))
    homes = max(1, round(count / PEOPLE_PER_HOME))
    texts = _addresses(rng, homes)
    home = rng.integers(0, homes, count)
    longitudes, countries = _places(texts, locator)
    if locator is None:
        longitudes = np.mod(np.arange(homes) * 137.5, 360.0) - 180.0  # the golden angle spreads them evenly
    hidden = rng.random(count)
    addresses = [
        None if h < NO_ADDRESS_SHARE else f"10.0.{i % 256}.{h * 255:.0f}" if h > 1 - PRIVATE_SHARE else texts[i]
        for i, h in zip(home.tolist(), hidden.tolist(), strict=True)
    ]
    offsets = np.rint(longitudes / DEGREES_PER_HOUR).astype(np.int64)
    seen = np.array([a == texts[i] for a, i in zip(addresses, home.tolist(), strict=True)])
    return People(addresses, offsets[home], np.where(seen, countries[home], ""))


def _places(texts: list[str], locator: Locator | None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    if locator is None:
        return np.zeros(len(texts)), np.full(len(texts), "", dtype="U2")
    found = locator.locate(pa.array(texts))
    longitudes: Any = found.field("longitude").fill_null(0.0).to_numpy(zero_copy_only=False)
    return longitudes, np.array(found.field("country_code").fill_null("").to_pylist(), dtype="U2")


def _addresses(rng: np.random.Generator, count: int) -> list[str]:
    """Random public addresses, mostly IPv4."""
    wide = rng.random(count) < IPV6_SHARE
    blocks = rng.choice(IPV6_BLOCKS, count).tolist()
    low = rng.integers(0, 2**32, count).tolist()
    v4 = _public_v4(rng, count)
    return [
        str(IPv6Address(block << 112 | low_bits << 80 | 1)) if is_wide else address
        for is_wide, block, low_bits, address in zip(wide.tolist(), blocks, low, v4, strict=True)
    ]


def _public_v4(rng: np.random.Generator, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        draws = rng.integers(0x01000000, 0xDF000000, count - len(found)).tolist()
        found += [str(address) for n in draws if (address := IPv4Address(n)).is_global]
    return found
