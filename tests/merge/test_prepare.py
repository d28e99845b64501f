"""Which versions of the lake become a slice, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from pinwheel.core.contract import TABLES
from pinwheel.lake.events_table import Commit
from pinwheel.merge.prepare import waits_for_more

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def landing(seconds_ago: float, repins: int, behind: int) -> Commit:
    return Commit(1, NOW - timedelta(seconds=seconds_ago), {"repin": repins, "pin": 5000}, {}, behind)


REWRITE = Commit(2, NOW)


@pytest.mark.parametrize(
    ("commits", "waits"),
    [
        ([], False),
        ([REWRITE], False),
        ([landing(5, 10, 0)], False),
        ([landing(5, 10, 800)], True),
        ([landing(5, 10, 800), REWRITE], True),
        ([landing(9, 10, 800), landing(5, 10, 0)], False),  # it has caught up
        ([landing(31, 10, 800), landing(5, 10, 800)], False),  # too long
        ([landing(9, 60, 800), landing(5, 40, 800)], False),  # a whole slice
        ([landing(9, 60, 800), landing(5, 39, 800)], True),
    ],
)
def test_slices_wait_for_more_rows_while_the_stream_catches_up(commits: list[Commit], waits: bool) -> None:
    assert waits_for_more(commits, TABLES["repins"], 100, 30.0, NOW) is waits
