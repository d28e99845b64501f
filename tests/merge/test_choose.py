"""Which versions of the lake are merged together."""

from pinwheel.core.contract import TABLES
from pinwheel.lake.events_table import Commit
from pinwheel.merge.prepare import Next, choose
from tests.support.lakes import NOON

REPINS = TABLES["repins"]


def landing(version: int, repins: int) -> Commit:
    return Commit(version, NOON, {"repin": repins})


def ranges(*commits: Commit, max_rows: int = 100) -> list[tuple[int, bool]]:
    """The last version and the emptiness of each range, until nothing is left."""
    found, start = [], -1
    while (next_ := choose(list(commits[start + 1 :]), REPINS, start, max_rows)) is not None:
        found.append(_told(next_))
        start = next_.versions.to
    return found


def _told(next_: Next) -> tuple[int, bool]:
    return next_.versions.to, next_.empty


def test_a_version_that_only_expires_rows_is_alone_and_empty() -> None:
    """In a range with others, the feed would be read for it, and its rows taken for corrections."""
    expires = Commit(1, NOON, expires=True)
    assert ranges(landing(0, 5), expires, landing(2, 5)) == [(0, False), (1, True), (2, False)]
    assert ranges(landing(0, 0), expires, landing(2, 0)) == [(0, True), (1, True), (2, True)]


def test_a_version_of_another_writer_is_read() -> None:
    assert ranges(landing(0, 0), Commit(1, NOON), landing(2, 0)) == [(2, False)]


def test_a_range_has_no_more_rows_than_wanted() -> None:
    assert ranges(*(landing(n, 4) for n in range(4)), max_rows=9) == [(1, False), (3, False)]
