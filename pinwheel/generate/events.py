"""Generates engagement events in blocks: drawn with numpy, serialised with templates, with their rows of the truth.

Uses no clock and no Kafka: the caller passes the event times. The same seed, start, times and block sizes give the
same bytes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from pinwheel.enrich.locations import Locator
from pinwheel.generate import truth
from pinwheel.generate.catalogue import BOARDS_PER_PERSON, Catalogue
from pinwheel.generate.malformed import NAMES, reason_of, spoiled
from pinwheel.generate.people import Ints, make_people
from pinwheel.generate.popularity import Burst, Bursts, Popularity
from pinwheel.generate.words import AWKWARD, COMMENTS

REPIN, PIN, COMMENT, LOGIN = range(4)
TYPES = ("repin", "pin", "comment", "login")
MIX = (0.60, 0.12, 0.13, 0.15)
OK, LATE, REDELIVERY, MALFORMED = range(4)
KINDS = ("ok", "late", "redelivery", "malformed")
KIND_SHARES = (0.978, 0.010, 0.010, 0.002)
UNKNOWN_PIN_SHARE = 0.005  # repins and comments of pins that the catalogue does not have
EXTRA_SHARE = 0.01
EXTRAS = (
    {"app_version": "9.41.2"},
    {"experiment": {"name": "new-feed", "arm": 2}},
    {"referrer": None, "tags": ["a", "b\"c"]},
    {"größe": "XL 👕"},
)  # fmt: skip
LATE_SECONDS = (1800, 2 * 86_400)  # how much earlier a late event happened
CLIENTS = ("ios", "android", "web")
PRECISIONS = ("ms", "us", "s")  # RFC 3339 allows all of them; producers differ
PRECISION_SHARES = (0.9, 0.05, 0.05)
UNIT_US = np.array([1000, 1, 1_000_000])
TIME_CHARS = {"ms": (23, "Z"), "us": (26, "Z"), "s": (19, "+00:00")}
RECENT = 20_000  # a redelivery repeats one of this many records before it
MAX_CHUNKS = 20


@dataclass(frozen=True)
class Block:
    """Records in sending order: ``values[i]`` has the key ``keys[i]`` and is described by row i of ``rows``."""

    keys: list[bytes]
    values: list[bytes | None]
    rows: pa.Table


@dataclass(frozen=True)
class _Draws:
    """Random choices for a block, one element per record."""

    kinds: Ints
    types: Ints
    times_us: Ints  # already truncated to their precision
    precisions: Ints
    users: Ints
    pins: Ints
    boards: Ints
    texts: Ints
    clients: Ints
    extras: Ints  # index into EXTRAS, -1 for none


class Generator:
    """A seeded source of blocks.

    Args:
        catalogue: the pins and brands.
        seed: seed of the stream of events.
        start_us: microseconds since 1970 of the first event; part of every event_id, so that runs don't share ids.
        locator: locates the people; None when there is no location database.
    """

    def __init__(self, catalogue: Catalogue, seed: int, start_us: int, locator: Locator | None = None) -> None:
        self._catalogue = catalogue
        self.run = f"{seed:x}-{start_us:x}"
        self._rng = np.random.default_rng((seed, 0))
        self._people = make_people(catalogue.people, seed, locator)
        self._popularity = Popularity(catalogue, seed)
        self._bursts = Bursts(self._popularity, self._people, seed, start_us)
        self._next = 0
        self._spoiled = seed
        self._ips = [f'"ip":{orjson.dumps(a).decode()}' for a in self._people.addresses]
        self._texts = _texts(self._rng)
        self._text_json = [orjson.dumps(t).decode() for t in self._texts]
        self._extra_json = [orjson.dumps(e).decode() for e in EXTRAS]
        self._recent = Block([], [], truth.SCHEMA.empty_table())
        self._recent_first: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)

    @property
    def bursts(self) -> list[Burst]:
        """The bursts that have had events so far."""
        return list(self._bursts.seen.values())

    def block(self, times_us: Ints, now: datetime) -> Block:
        """One record per time (microseconds since 1970, UTC); ``now`` is about when Kafka receives them."""
        draws = self._draw(times_us)
        ids = [f"{self.run}-{n:x}" for n in range(self._next, self._next + len(times_us))]
        self._next += len(times_us)
        values: list[bytes | None] = [*self._values(ids, draws)]
        names = self._spoil(ids, draws, values, now)
        keys = [b"%d" % user for user in draws.users.tolist()]
        return self._redelivered(draws, keys, values, self._rows(ids, draws, values, names))

    def _draw(self, times_us: Ints) -> _Draws:
        rng, size = self._rng, len(times_us)
        kinds, types = _choose(rng, KIND_SHARES, size), _choose(rng, MIX, size)
        late = rng.integers(*LATE_SECONDS, size) * 1_000_000
        times_us = np.where(kinds == LATE, times_us - late, times_us)
        precisions = _choose(rng, PRECISION_SHARES, size)
        seconds = times_us // 1_000_000
        users, pins = self._people.acting(rng, seconds), self._popularity.draw(rng, size)
        self._bursts.apply(rng, np.where(kinds == OK, seconds, 0), users, pins)
        pins = np.where(rng.random(size) < UNKNOWN_PIN_SHARE, pins + self._catalogue.pins, pins)
        self._embed(types, users, pins)
        return _Draws(
            kinds=kinds,
            types=types,
            times_us=times_us // UNIT_US[precisions] * UNIT_US[precisions],
            precisions=precisions,
            users=users,
            pins=pins,
            boards=users * BOARDS_PER_PERSON + rng.integers(0, BOARDS_PER_PERSON, size),
            texts=rng.integers(0, len(self._texts), size),
            clients=rng.integers(0, len(CLIENTS), size),
            extras=np.where(rng.random(size) < EXTRA_SHARE, rng.integers(0, len(EXTRAS), size), -1),
        )

    def _embed(self, types: Ints, users: Ints, pins: Ints) -> None:
        """In place: pin events embed a pin that is not API-only, and come from the pin's creator."""
        made = np.flatnonzero(types == PIN)
        last = min(self._catalogue.api_only_from - 1, self._catalogue.pins)
        pins[made] = self._rng.integers(1, last + 1, len(made))
        users[made] = [self._catalogue.creator_of(i) for i in pins[made].tolist()]

    def _values(self, ids: list[str], d: _Draws) -> list[bytes]:
        times = _time_texts(d.times_us, d.precisions)
        drawn = zip(
            ids, times, d.types.tolist(), d.users.tolist(), d.pins.tolist(), d.boards.tolist(),
            d.texts.tolist(), d.clients.tolist(), d.extras.tolist(), strict=True,
        )  # fmt: skip
        ips, texts = self._ips, self._text_json
        values = []
        for event_id, time, kind, user, pin, board, text, client, extra in drawn:
            if kind == REPIN:
                own = f'"pin_id":{pin},"board_id":{board}'
            elif kind == PIN:
                own = f'"pin":{orjson.dumps(self._catalogue.pin(pin)).decode()}'
            elif kind == COMMENT:
                own = f'"pin_id":{pin},"text":{texts[text]}'
            else:
                own = f'"client":"{CLIENTS[client]}"'
            end = "}" if extra < 0 else "," + self._extra_json[extra][1:]
            head = f'{{"event_id":"{event_id}","event_type":"{TYPES[kind]}","occurred_at":"{time}","user_id":{user}'
            values.append(f"{head},{ips[user - 1]},{own}{end}".encode())
        return values

    def _spoil(self, ids: list[str], d: _Draws, values: list[bytes | None], now: datetime) -> dict[int, str]:
        """Replace the values of malformed records; returns position -> way in which it is malformed."""
        names = {}
        for i in np.flatnonzero(d.kinds == MALFORMED).tolist():
            user, at = int(d.users[i]), datetime.fromtimestamp(int(d.times_us[i]) // 1_000_000, UTC)
            event = {
                "event_id": ids[i],
                "event_type": "repin",
                "occurred_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "user_id": user,
                "ip": self._people.addresses[user - 1],
                "pin_id": int(d.pins[i]),
                "board_id": int(d.boards[i]),
            }
            names[i] = NAMES[self._spoiled % len(NAMES)]  # in turn, so that a small sample has all of them
            self._spoiled += 1
            values[i] = spoiled(names[i], event, now)
        return names

    def _rows(self, ids: list[str], d: _Draws, values: list[bytes | None], names: dict[int, str]) -> pa.Table:
        """The block's rows of the truth."""
        size, addresses = len(ids), self._people.addresses
        fine = d.kinds != MALFORMED
        columns: dict[str, Any] = {
            "event_id": ids,
            "event_type": _named(TYPES, d.types),
            "occurred_at": pa.array(d.times_us, mask=~fine).cast(pa.timestamp("us", "UTC")),
            "user_id": d.users,
            "pin_id": pa.array(d.pins, mask=d.types == LOGIN),
            "board_id": pa.array(d.boards, mask=d.types != REPIN),
            "text": pa.array(self._texts).take(pa.array(d.texts, mask=d.types != COMMENT)),
            "client": pa.array(CLIENTS).take(pa.array(d.clients, mask=d.types != LOGIN)),
            "ip": [addresses[user - 1] for user in d.users.tolist()],
            "extra": pa.array(self._extra_json).take(pa.array(d.extras, mask=d.extras < 0)),
            "kind": _named(KINDS, d.kinds),
            "malformed": [names.get(i) for i in range(size)],
            "dead_reason": [reason_of(names[i]).value if i in names else None for i in range(size)],
            "value": [values[i] if i in names else None for i in range(size)],
        }
        return pa.table(columns, schema=truth.SCHEMA)

    def _redelivered(self, d: _Draws, keys: list[bytes], values: list[bytes | None], rows: pa.Table) -> Block:
        """Replace the records drawn as redeliveries with an earlier record: same key, same bytes."""
        recent, before = self._recent, len(self._recent.keys)
        first = np.concatenate([self._recent_first, np.isin(d.kinds, (OK, LATE))])
        firsts = np.flatnonzero(first)  # only first deliveries are repeated
        repeats = np.flatnonzero(d.kinds == REDELIVERY)
        possible = np.searchsorted(firsts, before + repeats)
        # The very first records have nothing to repeat: they are sent as they are.
        repeats, possible = repeats[possible > 0], possible[possible > 0]
        order = np.arange(before, before + len(keys))
        order[repeats] = firsts[(self._rng.random(len(repeats)) * possible).astype(np.int64)]
        kinds = np.where(d.kinds == REDELIVERY, OK, d.kinds)
        kinds[repeats] = REDELIVERY

        all_keys, all_values = recent.keys + keys, recent.values + values
        sent = pa.concat_tables([recent.rows, rows]).take(pa.array(order))
        sent = sent.set_column(sent.column_names.index("kind"), "kind", _named(KINDS, kinds))
        block = Block([all_keys[i] for i in order], [all_values[i] for i in order], sent)
        kept = pa.concat_tables([recent.rows, rows])[-RECENT:]
        # Small live blocks would leave thousands of chunks; taking rows from those costs as much as making events.
        kept = kept.combine_chunks() if kept["event_id"].num_chunks > MAX_CHUNKS else kept
        self._recent = Block(all_keys[-RECENT:], all_values[-RECENT:], kept)
        self._recent_first = first[-RECENT:]
        return block


def _choose(rng: np.random.Generator, shares: tuple[float, ...], size: int) -> Ints:
    """Random indices into ``shares``, with these probabilities."""
    limits = np.cumsum(shares)[:-1]
    return np.searchsorted(limits, rng.random(size), side="right")


def _named(names: tuple[str, ...], codes: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(codes))


def _time_texts(times_us: Ints, precisions: Ints) -> list[str]:
    """RFC 3339 texts in UTC, with the given precisions."""
    full = np.datetime_as_string(times_us.astype("datetime64[us]"), unit="us").tolist()
    ends = [TIME_CHARS[name] for name in PRECISIONS]
    return [text[: ends[p][0]] + ends[p][1] for text, p in zip(full, precisions.tolist(), strict=True)]


def _texts(rng: np.random.Generator) -> list[str]:
    """Comment texts; the last one is as long as the contract allows."""
    pairs = rng.integers(0, len(COMMENTS), (1000, 2)).tolist()
    return [*(f"{COMMENTS[a]}. {COMMENTS[b]}" for a, b in pairs), *AWKWARD, "long " * 1000]
