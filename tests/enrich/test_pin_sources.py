"""A Pin API that misbehaves is a source that is down: bounded in time, in bytes, and in what is taken from it."""

import gzip
import json
import time
from typing import Any

import psutil
import pytest

from pinwheel.core.settings import PinSettings
from pinwheel.enrich.pin_sources import ANSWER_BYTES, Answer, PinApi, SourceDownError
from tests.support.liars import HEAD, answering, bomb, drips, floods, says
from tests.support.liars import Answer as Lie

PIN = {"pin_id": 1, "creator_id": 2, "board_id": 3}
LEAP = "2016-12-31T23:59:60Z"
GZIP = b"content-encoding: gzip"
SECONDS = 0.4
MOST_MEGABYTES = 60  # more than before


def ask(lie: Lie, *ids: int) -> Answer:
    with answering(lie) as port:
        return PinApi(PinSettings(pin_api_url=f"http://127.0.0.1:{port}", pin_api_seconds=SECONDS)).fetch(ids or (1,))


def answer_of(**told: Any) -> bytes:
    return json.dumps({"pins": [PIN], "unknown": []} | told).encode()


@pytest.mark.parametrize(
    "lie",
    [
        drips(b"", b"H"),
        drips(HEAD, b"x-header: 1\r\n"),
        drips(HEAD + b"\r\n"),
        drips(HEAD + b"content-length: 900000000\r\n\r\n"),
        drips(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        floods(HEAD + b"\r\n"),
        floods(HEAD, b"x-header: 1\r\n" * 1000),
        floods(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        says(bomb(900), GZIP),
        says(gzip.compress(bomb(900)), b"content-encoding: gzip, gzip"),
        says(answer_of(), b"content-encoding: br"),
        says(answer_of(), GZIP),
        says(b" " * ANSWER_BYTES + answer_of() + b" " * 40_000),
        says(b"[" * 100_000),
        says(b""),
    ],
)
def test_it_is_down_soon_and_memory_stays(lie: Lie) -> None:
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(SourceDownError):
        ask(lie)
    assert time.monotonic() - began < 3 * SECONDS + 1  # the time of a busy machine is not ours
    assert psutil.Process().memory_info().rss - before < MOST_MEGABYTES * 2**20


def test_after_one_that_dripped_it_is_asked_again() -> None:
    lies = iter([drips(HEAD), says(answer_of()), says(answer_of())])
    with answering(lambda connection: next(lies)(connection)) as port:
        api = PinApi(PinSettings(pin_api_url=f"http://127.0.0.1:{port}", pin_api_seconds=SECONDS))
        with pytest.raises(SourceDownError):
            api.fetch([1])
        assert api.fetch([1]).pins.keys() == {1}


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_read_packed_or_not(packed: bool) -> None:
    body = answer_of(pins=[PIN | {"description": "é" * 5000}, PIN | {"pin_id": 2, "created_at": LEAP}], unknown=[3])
    found = ask(says(gzip.compress(body), GZIP) if packed else says(body), 1, 2, 3)
    assert (set(found.pins), found.unknown) == ({1, 2}, {3})


@pytest.mark.parametrize(
    "pin",
    [
        PIN | {"pin_id": 2},
        PIN | {"pin_id": "1"},
        PIN | {"pin_id": True},
        PIN | {"pin_id": 1.0},
        PIN | {"title": "x" * 1_000_000},
        PIN | {"title": ["x"]},
        PIN | {"created_at": "0001-01-01T00:00:00Z"},
        PIN | {"created_at": "0001-01-01T00:00:00+23:59"},
        PIN | {"created_at": "9999-12-31T23:59:59-05:00"},
        PIN | {"created_at": "2026-01-01 00:00Z"},
        [PIN],
        "pin",
        None,
    ],
)
def test_a_pin_that_was_not_asked_for_or_breaks_the_contract_is_not_taken(pin: object) -> None:
    assert ask(says(answer_of(pins=[pin])), 1) == Answer({}, set())


def test_a_title_that_is_no_text_keeps_no_other_pin_away() -> None:
    cut = PIN | {"pin_id": 2, "title": "\ud83d"}
    assert ask(says(answer_of(pins=[cut, PIN], unknown=[3])), 1, 2, 3).pins.keys() == {1}


def test_unknown_ids_are_taken_only_of_those_that_were_asked_for() -> None:
    assert ask(says(answer_of(pins=[], unknown=[1, 2, True, "1", None, 1e300])), 1) == Answer({}, {1})
