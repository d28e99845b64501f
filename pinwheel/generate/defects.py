"""Defects of real producers, planted into good events to test that the checks find them.

Each maps an event to the events that the broken producer sends: the event changed, none, or several. Unlike
``malformed`` records, most of them meet the contract, which makes them hard to detect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from pinwheel.generate.events import Block

Event = dict[str, Any]
Spoil = Callable[[Event], list[Event]]


@dataclass(frozen=True)
class Defect:
    """One defect. ``meaning`` is for people; ``share``: the default share of events that have it."""

    meaning: str
    spoil: Spoil
    share: float = 0.3


def _with(**changes: Any) -> Spoil:
    return lambda event: [event | changes]


def _times(field: str, factor: int) -> Spoil:
    """Multiply a number, as if in another unit, if the event has it."""
    return lambda event: [event | {field: event[field] * factor} if field in event else event]


def _pin_with(**changes: Any) -> Spoil:
    """Change fields of the embedded pin, if the event has one."""
    return lambda event: [event | {"pin": event["pin"] | changes} if "pin" in event else event]


def _moved(**delta: float) -> Spoil:
    def spoil(event: Event) -> list[Event]:
        at = datetime.fromisoformat(event["occurred_at"]) + timedelta(**delta)
        return [event | {"occurred_at": at.isoformat().replace("+00:00", "Z")}]

    return spoil


def _frozen(event: Event) -> list[Event]:
    """The clock stands still at the start of each quarter of an hour."""
    at = datetime.fromisoformat(event["occurred_at"])
    stands = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return [event | {"occurred_at": stands.isoformat().replace("+00:00", "Z")}]


def _doubled(event: Event) -> list[Event]:
    (again,) = _moved(milliseconds=7)(event)
    return [event, again | {"event_id": f"{event['event_id']}-b"}]


def _retried(event: Event) -> list[Event]:
    return [event, event | {"event_id": f"{event['event_id']}-r"}]


def _text(text: str) -> Spoil:
    return lambda event: [event | {"text": text} if "text" in event else event]


DEFECTS = {
    "null_ip": Defect("a proxy hides the addresses: no places", _with(ip=None)),
    "null_category": Defect("pins without category", _pin_with(category=None)),
    "null_title": Defect("pins without title", _pin_with(title=None)),
    "negative_users": Defect("ids overflowed: the gate holds the slice", lambda e: [e | {"user_id": -e["user_id"]}]),
    "users_times_1000": Defect("user ids in another unit", _times("user_id", 1000)),
    "boards_times_1000": Defect("board ids in another unit", _times("board_id", 1000)),
    "pins_times_1000": Defect("pin ids in another unit", _times("pin_id", 1000)),
    "frozen_clock": Defect("a clock that stands still for quarters of an hour", _frozen, 0.5),
    "hour_behind": Defect("a clock in another time zone", _moved(hours=-1), 0.6),
    "clock_ahead": Defect("a clock that is minutes ahead", _moved(minutes=5)),
    "renamed_category": Defect("a category under another name", _pin_with(category="getaways")),
    "half_volume": Defect("half of the events are lost", lambda _: [], 0.5),
    "doubled_volume": Defect("every event twice, as two", _doubled, 1.0),
    "retried_as_new": Defect("a retry makes a new id", _retried),
    "one_bot": Defect("one person acts for many", _with(user_id=4711)),
    "empty_texts": Defect("comments lose their text", _text("")),
    "same_text": Defect("every comment says the same", _text("ok")),
    "truncated_descriptions": Defect("descriptions are cut off", _pin_with(description="A")),
    "no_web": Defect(
        "the web client reports as another",
        lambda e: [e | {"client": "ios"} if e.get("client") == "web" else e],
        1.0,
    ),
}  # fmt: skip


class Planter:
    """Plants one defect into blocks; the same seed, blocks and defect give the same records.

    Args:
        name: a key of ``DEFECTS``.
        seed: decides which events get the defect.
        share: share of events that get it, 0 to 1; None: the defect's own.
    """

    def __init__(self, name: str, seed: int, share: float | None = None) -> None:
        defect = DEFECTS[name]
        self._spoil = defect.spoil
        self._share = defect.share if share is None else share
        self._rng = np.random.default_rng((seed, 1))

    def plant(self, block: Block) -> tuple[list[bytes], list[bytes | None]]:
        """Keys and values to send instead of the block's; malformed records stay as they are."""
        keys: list[bytes] = []
        values: list[bytes | None] = []
        hit = self._rng.random(len(block.values)) < self._share
        for key, value, planted in zip(block.keys, block.values, hit.tolist(), strict=True):
            sent = self._spoiled(value) if planted else [value]
            keys += [key] * len(sent)
            values += sent
        return keys, values

    def _spoiled(self, value: bytes | None) -> Sequence[bytes | None]:
        try:
            event = orjson.loads(value or b"")
            return [orjson.dumps(spoiled) for spoiled in self._spoil(event)] if isinstance(event, dict) else [value]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return [value]
