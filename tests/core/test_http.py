"""A look at a server that misbehaves ends soon."""

import time

import pytest

from pinwheel.core import http
from tests.support.liars import HEAD, Answer, answering, drips, floods, says

SECONDS = 0.4


@pytest.mark.parametrize(
    "lie",
    [
        drips(b"", b"H"),
        drips(HEAD, b"x: 1\r\n"),
        drips(HEAD + b"content-length: 9999\r\n\r\n"),
        floods(HEAD, b"x" * 9999),
    ],
)
def test_one_that_goes_on_for_ever_is_no_answer(lie: Answer) -> None:
    began = time.monotonic()
    with answering(lie) as port, pytest.raises(OSError, match="http"):
        http.get(f"http://127.0.0.1:{port}/x", SECONDS)
    assert time.monotonic() - began < 3 * SECONDS + 1


def test_a_body_is_cut() -> None:
    with answering(floods(HEAD + b"\r\n")) as port:
        status, body = http.get(f"http://127.0.0.1:{port}", 5)
    assert (status, len(body)) == (200, http.MOST_BYTES)


def test_json_is_read() -> None:
    with answering(says(b'{"a":1}')) as port:
        assert http.get_json(f"http://127.0.0.1:{port}/x?y=1", 5) == {"a": 1}
    with answering(says(b"<html>")) as port, pytest.raises(ValueError, match="Expecting"):
        http.get_json(f"http://127.0.0.1:{port}/", 5)
    with pytest.raises(OSError, match="refused"):
        http.get("http://127.0.0.1:1/", 5)
