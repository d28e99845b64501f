"""Replaying a file: the same bytes each time, and nothing sent when a line is bad."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from pinwheel.generate.replay import ReplayError, main, replay
from pinwheel.generate.settings import ProduceSettings
from tests.support.contract import verdict
from tests.support.taken import Taken

NOW = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "saves.tsv"
    path.write_bytes(b"".join(b"%d\t%d\n" % (n, n * 7 % 50) for n in range(500)))
    return path


def sent(path: Path, seed: int = 1, now: datetime = NOW) -> Taken:
    taken = Taken()
    count = replay(path, ProduceSettings(), seed, sender=taken, now=lambda: now)
    assert (count, taken.finished) == (len(taken.values), True)
    return taken


def test_each_line_becomes_one_repin_of_the_last_whole_day(file: Path) -> None:
    taken = sent(file)
    events = [orjson.loads(v or b"") for v in taken.values]
    assert [(e["user_id"], e["pin_id"]) for e in events] == [(n, n * 7 % 50) for n in range(500)]
    assert taken.keys == [b"%d" % n for n in range(500)]
    assert [verdict(v, NOW) for v in taken.values] == [None] * 500
    moments = [datetime.fromisoformat(e["occurred_at"]) for e in events]
    midnight = NOW.replace(second=0)
    assert midnight - timedelta(days=1) <= min(moments) < max(moments) < midnight
    assert len({e["event_id"] for e in events}) == 500
    addresses = [e["ip"] for e in events]
    assert 400 < len(set(addresses)) < 500, "a home each; some people have no address"
    assert None in addresses


def test_the_same_file_on_the_same_day_is_the_same_bytes(file: Path) -> None:
    assert sent(file).values == sent(file, now=NOW + timedelta(hours=23)).values
    assert not set(sent(file).values) & set(sent(file, seed=2).values)


def test_the_first_lines_alone_are_the_first_events(file: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.tsv"
    part.write_bytes(b"\r\n".join(file.read_bytes().split(b"\n")[:100]))
    assert sent(part).values == sent(file).values[:100]


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        (b"1 2", "'1 2'"),
        (b"", "''"),
        (b"1\t2\t3", "1.*t2.*t3"),
        (b"one\t2", "one"),
        (b"-1\t2", "-1"),
        (b"1\t9223372036854775808", "9223372036854775808"),
        (b"\xff\t2", "xff"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_sent(file: Path, line: bytes, quoted: str) -> None:
    file.write_bytes(b"1\t2\n" + line + b"\n3\t4\n")
    taken = Taken()
    with pytest.raises(ReplayError, match=rf"saves.tsv, line 2: .*{quoted}.* is not user<TAB>pin"):
        replay(file, ProduceSettings(), 1, sender=taken)
    assert (taken.values, taken.finished) == ([], False)


def test_no_file_and_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").touch()
    with pytest.raises(ReplayError, match="has no lines"):
        sent(tmp_path / "empty.tsv")
    with pytest.raises(SystemExit, match=r"nowhere\.tsv can't be read: No such file"):
        main([str(tmp_path / "nowhere.tsv")])
