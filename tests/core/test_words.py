"""Measures in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.words import duration, percent

SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0, "0 s"), (0.04, "0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min")),
        *((120, "2 min"), (184, "3 min 4 s"), (3600, "1 h"), (3629, "1 h"), (3661, "1 h 1 min"), (90_000, "1 d 1 h")),
        *((86_460, "1 d"), (-3, "0 s")),
    ],
)
def test_a_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0, 1e8))
def test_a_duration_is_its_seconds_but_for_what_it_leaves_out(seconds: float) -> None:
    parts = re.findall(r"([\d.]+) (d|h|min|s)", duration(seconds))
    assert 1 <= len(parts) <= 2
    told = sum(float(many) * SECONDS[unit] for many, unit in parts)
    left_out = {"d": 3_600, "h": 60, "min": 1, "s": 1}[parts[0][1]]
    assert abs(told - seconds) <= left_out


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.004, "0.4 %"), (0.05, "5 %"), (0.1234, "12 %"), (0.95, "95 %"), (1, "100 %")]
)
def test_a_share(share: float, said: str) -> None:
    assert percent(share) == said
