"""The books as a table for people, and which servers a command works on."""

import os
import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.errors import LocalError
from pinwheel.local import report
from pinwheel.local.commands import use_servers
from pinwheel.local.report import show_books
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import ProgramState, Stack
from pinwheel.local.watch import Watch
from pinwheel.quality.books_lines import PARTITION, ROLLUPS, TABLE, Books, Line

AT = datetime(2026, 3, 14, 12, 20, tzinfo=UTC)


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=200, force_terminal=False)


def lines() -> list[Line]:
    return [
        Line(PARTITION, "events@cluster/id", 0, Counter(offsets=1200, landed=1100, dead_letters=90, without_record=10)),
        Line(TABLE, "repins", 1, Counter(rows=900, in_table=880, repeated=20, ledger=880, watermark=7)),
        Line(ROLLUPS, "rollups", 0, Counter(hours=24, equal=24)),
    ]


def test_balanced_books_are_one_table(console: Console) -> None:
    show_books(console, Books(AT, lines(), date(2026, 3, 11)))
    shown = console.export_text()
    assert "partition events 0" in shown
    assert "1,200 offsets" in shown
    assert "1,100 landed, 90 dead letters, 10 without record" in shown
    assert "table repins 1" in shown
    assert "Books: balanced, 1,200 offsets through 2026-03-14 12:20:00 UTC, closed through 2026-03-11" in shown


def test_a_difference_is_named_below_the_table(console: Console) -> None:
    found = lines()
    found[1].differences.append("repins, 2026-03-14: in the table, not in the lake: [red]x")
    show_books(console, Books(AT, found, None))
    shown = console.export_text()
    assert "in the lake: [red]x" in shown
    assert "Books: differ" in shown
    assert shown.count("differs") == 1


@pytest.mark.parametrize("named", ["db.internal", "singlestore"])
def test_a_command_works_on_the_servers_that_the_environment_names(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINWHEEL_MEMSQL_HOST", named)
    before = dict(os.environ)
    assert not use_servers(LocalSettings(state_dir=tmp_path))
    assert os.environ == before
    assert list(tmp_path.iterdir()) == [], "no secrets of an embedded stack are made"


@pytest.mark.parametrize("named", [None, "127.0.0.1", "localhost"])
def test_a_command_works_on_the_embedded_stack_otherwise(
    named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith("PINWHEEL_"):
            monkeypatch.delenv(name)
    if named:
        monkeypatch.setenv("PINWHEEL_MEMSQL_HOST", named)
    with pytest.raises(LocalError, match="not running"):
        use_servers(LocalSettings(state_dir=tmp_path))


def test_the_status_shows_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate needs two looks."""
    settings, sent = LocalSettings(state_dir=tmp_path), iter([100, 300])
    settings.stack_dir.mkdir(parents=True)
    monkeypatch.setattr(report, "RATE_SECONDS", 0.01)
    monkeypatch.setattr(Stack, "status", lambda _: [ProgramState("kafka", 7, 100)])
    monkeypatch.setattr(kafka, "held_offsets", lambda _: {0: Held(0, next(sent))})
    monkeypatch.setattr(Watch, "_rows", lambda *_: [])
    report.print_status(settings)
    shown = capsys.readouterr().out
    assert "300 events in Kafka" in shown
    assert re.search(r" [\d,]+ events/s", shown)
