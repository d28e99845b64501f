"""Letters come home: each record is in the lake exactly once, as a letter or as the event that it is."""

import contextlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.table import TableMerger
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pinwheel.core.settings import CompactSettings, ReplaySettings, load
from pinwheel.enrich.addresses import bytes_without_addresses, packed
from pinwheel.lake import changes, compaction, erased_people, replay
from pinwheel.lake.erased_people import ErasedPeople
from pinwheel.lake.replay import Wanted
from pinwheel.lake.replay_outcome import EXPIRED, Replayed
from pinwheel.lake.tail import Tail
from spark_jobs.transforms.erased import without_erased
from tests.support.lake_rows import make_lake, row, table
from tests.support.letters import AT, Steps, feed, kinds, land, letter, rows_of
from tests.support.places import on_disk_and_in_a_store
from tests.support.properties import examples
from tests.support.records import event

Run = Callable[..., Replayed]


@pytest.fixture
def events(place: str) -> str:
    return make_lake(place)


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def run(events: str, place: str, steps: Steps) -> Run:
    def go(dry_run: bool = False, most: int = 1000, kept_from: date = date.min, **wanted: Any) -> Replayed:
        settings = load(ReplaySettings, lake_uri=f"{place}/lake", replay_max_rows=most)
        return replay.replay(settings, Wanted(**wanted), steps, "ann", dry_run=dry_run, kept_from=kept_from)

    return go


@on_disk_and_in_a_store
def test_a_letter_that_passes_is_the_event_and_no_letter_any_more(events: str, run: Run) -> None:
    late = event("repin", event_id="late", occurred_at="2026-03-04T23:59:00Z", more=1)
    land(events, letter(1, late), letter(2, b"{"), letter(3), row(4))
    before = DeltaTable(events).version()

    done = run()

    assert (done.letters, done.landed, done.more_left) == (3, 2, False)
    assert kinds(events) == {1: "repin", 2: "dead_letter", 3: "repin", 4: "repin"}
    home = rows_of(events)[0]
    assert {name: home[name] for name in ("event_id", "pin_id", "pin_status", "extra", "kafka_timestamp")} == {
        "event_id": "late",
        "pin_id": 7,
        "pin_status": "pending",
        "extra": '{"more":1}',
        "kafka_timestamp": AT + timedelta(milliseconds=1),
    }
    assert [home[name] for name in ("dead_reason", "dead_detail", "dead_value")] == [None, None, None]
    assert str(home["event_date"]) == "2026-03-04"
    assert feed(events, before) == [
        ("dead_letter", "update_preimage", 1),
        ("dead_letter", "update_preimage", 3),
        ("repin", "update_postimage", 1),
        ("repin", "update_postimage", 3),
    ]
    assert DeltaTable(events).version() == before + 1
    assert '"replayed": 2, "by": "ann"' in DeltaTable(events).history(1)[0][changes.CHANGE_KEY]


@on_disk_and_in_a_store
def test_again_changes_nothing(events: str, run: Run) -> None:
    land(events, letter(1), letter(2, b"{"))
    run()
    version, rows = DeltaTable(events).version(), rows_of(events)
    assert (run().letters, run().landed) == (1, 0)
    assert (DeltaTable(events).version(), rows_of(events)) == (version, rows)


def test_no_lake_and_no_letters_are_nothing(run: Run, place: str, steps: Steps) -> None:
    assert run() == Replayed()
    elsewhere = load(ReplaySettings, lake_uri=f"{place}/nowhere")
    assert replay.replay(elsewhere, Wanted(), steps, "ann", dry_run=False) == Replayed()


def test_the_files_are_as_others_expect_them(events: str, run: Run, steps: Steps) -> None:
    """Statistics by which readers skip files, the folder of the day, and no deletion vector."""
    land(events, letter(7, event("pin", user_id=42)), letter(8, b"{"))
    run()
    files = {
        f["partition.event_type"]: f for f in pa.table(DeltaTable(events).get_add_actions(flatten=True)).to_pylist()
    }
    assert {k: (f["num_records"], f["min.kafka_offset"], f["max.kafka_offset"]) for k, f in files.items()} == {
        "pin": (1, 7, 7),
        "dead_letter": (1, 8, 8),
    }
    assert (files["pin"]["min.user_id"], files["pin"]["null_count.brand_id"]) == (42, 1)
    assert files["pin"]["path"].startswith("event_date=2026-03-05/event_type=pin/")
    assert DeltaTable(events).metadata().configuration["delta.enableDeletionVectors"] == "false"
    assert steps.pins.saved == [7]


def test_a_dry_run_says_what_would_pass_and_what_else_is_lacking(events: str, run: Run, steps: Steps) -> None:
    fax = event("login", client="fax")
    empty, cut = letter(6, b"", dead_reason="empty"), letter(7, b"{", dead_reason="too_large")
    land(events, letter(1), letter(2, event("pin")), letter(3, fax), letter(4, fax), letter(5, b"<"), empty, cut)
    before = DeltaTable(events).version()

    done = run(dry_run=True)

    assert (done.letters, done.landed) == (7, 0)
    assert {name: (k.letters, [s.detail for s in k.samples]) for name, k in done.passing.items()} == {
        "repin": (1, ["unknown_type: event_type=repin"]),
        "pin": (1, ["unknown_type: event_type=repin"]),
    }
    assert {name: (k.letters, [s.kafka_offset for s in k.samples]) for name, k in done.lacking.items()} == {
        "bad_field: client": (2, [3, 4]),
        "not_json": (1, [5]),
    }
    assert done.lacking["bad_field: client"].samples[0].detail == "bad_field: client=fax"
    assert done.never == {"empty": 1, "too_large": 1}
    assert (DeltaTable(events).version(), steps.enriched, steps.pins.saved) == (before, 0, [])


def test_a_letter_that_mentions_an_erased_person_stays_without_a_detail(
    events: str, run: Run, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = SecretStr("k" * 32)
    erased_people.add(place, key, 77, pins=False)
    people, parse = ErasedPeople(place, key), Steps.parse
    monkeypatch.setattr(Steps, "parse", lambda self, records: without_erased(parse(self, records), people))
    fax, unknown = event("login", client="fax", user_id=77), event("type-77", user_id=77)
    land(events, letter(1, fax), letter(2, unknown), letter(3, event("repin", user_id=77)))
    lacking = run(dry_run=True).lacking
    assert {name: [s.detail for s in kind.samples] for name, kind in lacking.items()} == {
        name: [name] for name in ("bad_field", "unknown_type", "erased")
    }


def test_an_event_of_a_day_that_is_no_longer_kept_stays_a_letter(events: str, run: Run) -> None:
    land(events, letter(1, event("repin", occurred_at="2026-03-04T23:59:59Z")), letter(2))
    done = run(kept_from=AT.date())
    assert {name: [s.kafka_offset for s in kind.samples] for name, kind in done.lacking.items()} == {EXPIRED: [1]}
    assert (done.passing["repin"].letters, done.landed) == (1, 1)
    assert kinds(events) == {1: "dead_letter", 2: "repin"}


def test_the_kinds_that_are_told_are_few(events: str, run: Run) -> None:
    land(events, *(letter(n, event(f"type-{n}")) for n in range(30)))
    lacking = run(dry_run=True).lacking
    assert (len(lacking), lacking["others"].letters, len(lacking["others"].samples)) == (21, 10, 3)


@pytest.mark.parametrize(
    ("wanted", "home"),
    [
        ({}, {1, 2, 3, 4}),
        ({"reason": "bad_field"}, {2}),
        ({"event_type": "pin"}, {3}),
        ({"event_type": "repin"}, {1, 2, 4}),
        ({"event_type": "comment"}, set()),
        ({"since": AT + timedelta(hours=20)}, {4}),
        ({"until": AT + timedelta(milliseconds=2)}, {1}),
        ({"since": AT + timedelta(milliseconds=2), "until": AT + timedelta(milliseconds=3)}, {2}),
    ],
    ids=str,
)
def test_only_those_come_home_that_are_wanted(events: str, run: Run, wanted: dict[str, Any], home: set[int]) -> None:
    tomorrow = event("repin", occurred_at="2026-03-06T11:59:58Z")
    land(events, letter(1), letter(2, dead_reason="bad_field"), letter(3, event("pin")))
    twice = json.dumps(tomorrow)[:-1] + ', "event_type": "pin"}'  # the first one counts
    land(events, letter(4, twice.encode(), at=AT + timedelta(days=1)), letter(5, b"[1]"), letter(6, b"[" * 100_000))
    run(**wanted)
    assert {offset for offset, kind in kinds(events).items() if kind != "dead_letter"} == home


def test_a_run_lands_so_many_and_says_that_there_are_more(
    events: str, run: Run, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "BATCH_ROWS", 2)
    monkeypatch.setattr(replay, "CHUNK_ROWS", 2)
    land(events, *(letter(n) for n in range(5)), letter(9, b"{"))
    dry = run(dry_run=True, most=3)
    assert (dry.passing["repin"].letters, dry.more_left) == (5, True)
    first = run(most=3)
    assert (first.landed, first.more_left, steps.enriched) == (3, True, 3)
    second = run(most=3)
    assert (second.landed, second.more_left) == (2, False)
    assert [kind for kind in kinds(events).values()] == ["repin"] * 5 + ["dead_letter"]


def test_letters_of_a_log_that_was_read_again_come_home(events: str, run: Run) -> None:
    """A person let the stream go on at an earlier offset, after the log was truncated."""
    land(events, letter(5), letter(6))
    _append(events, letter(6))
    assert run().landed == 3
    assert [r["event_id"] for r in rows_of(events)] == ["e-5", "e-6", "e-6"]
    assert run().letters == 0


def test_records_of_two_logs_at_the_same_place_are_two_records(events: str, run: Run) -> None:
    """A topic that was made anew begins at offset 0 again."""
    old, new = letter(5, event("repin", event_id="old")), letter(5, event("repin", event_id="new"))
    land(events, old, row(6))
    later = new | {"kafka_timestamp": AT + timedelta(hours=1)}
    changed = letter(5, b"{") | {"kafka_timestamp": AT + timedelta(hours=2)}
    for one in (later, changed):
        _append(events, one)
    assert run().landed == 2
    assert sorted((r["event_id"] or "letter") for r in rows_of(events) if r["kafka_offset"] == 5) == [
        "letter",
        "new",
        "old",
    ]


def _append(uri: str, *rows: dict[str, Any]) -> None:
    """Append rows at offsets that this log has landed already."""
    write_deltalake(uri, table(rows), mode="append")


@pytest.mark.parametrize("step", ["parse", "enrich", "before the commit", "after the commit"])
def test_a_run_that_dies_loses_nothing_and_the_next_one_does_the_rest(
    events: str, run: Run, steps: Steps, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """In its second chunk; the first one is committed."""
    monkeypatch.setattr(replay, "BATCH_ROWS", 2)
    monkeypatch.setattr(replay, "CHUNK_ROWS", 2)
    land(events, *(letter(n) for n in range(6)), letter(9, b"{"))
    if step in ("parse", "enrich"):
        monkeypatch.setattr(steps, step, dying(getattr(steps, step)))
    else:
        monkeypatch.setattr(replay, "change", dying(changes.change, after=step.startswith("after")))
    with pytest.raises(KeyboardInterrupt):
        run()
    home = 4 if step == "after the commit" else 2
    assert [*kinds(events).values()] == ["repin"] * home + ["dead_letter"] * (7 - home)
    monkeypatch.undo()
    assert run().landed == 6 - home
    assert [*kinds(events).values()] == ["repin"] * 6 + ["dead_letter"]
    assert run().landed == 0


def dying(work: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """Dies at the second call, before or after the work."""
    calls: list[int] = []

    def call(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2 and not after:
            raise KeyboardInterrupt
        done = work(*given, **named)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return done

    return call


def compacted(events: str) -> None:
    DeltaTable(events).optimize.compact()


def landed(events: str) -> None:
    _append(events, letter(2, b"[]"), row(90))


def replayed(events: str) -> None:
    settings = load(ReplaySettings, lake_uri=events.removesuffix("/events"))
    replay.replay(settings, Wanted(), Steps(), "bob", dry_run=False)


@pytest.mark.parametrize("other", [compacted, landed, replayed])
def test_another_writer_between_its_read_and_its_commit(
    events: str, run: Run, monkeypatch: pytest.MonkeyPatch, other: Callable[[str], None]
) -> None:
    land(events, letter(1))
    land(events, letter(3))
    execute, tries = TableMerger.execute, []

    def later(merger: TableMerger) -> Any:
        tries.append(1)
        if len(tries) == 1:
            other(events)
        return execute(merger)

    monkeypatch.setattr(TableMerger, "execute", later)
    done = run()
    monkeypatch.undo()
    assert done.landed == (0 if other is replayed else 2)
    assert {n: kind for n, kind in kinds(events).items() if n < 90 and n != 2} == {1: "repin", 3: "repin"}
    assert len(tries) > 1, "delta-rs noticed it"


@given(
    st.lists(st.sampled_from(["good", "bad", "event"]), min_size=1, max_size=8),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
)
@examples(10)
def test_each_record_is_there_once_wherever_runs_die(
    tmp_path_factory: pytest.TempPathFactory, made: list[str], files: int, chunk: int, dies: int
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    events = make_lake(folder)
    rows = [{"good": letter(n), "bad": letter(n, b"{"), "event": row(n)}[what] for n, what in enumerate(made)]
    for start in range(0, len(rows), files):
        land(events, *rows[start : start + files])
    settings = load(ReplaySettings, lake_uri=f"{folder}/lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "BATCH_ROWS", 1)
        patch.setattr(replay, "CHUNK_ROWS", chunk)
        patch.setattr(replay, "change", dying(changes.change, after=bool(dies % 2)))
        with contextlib.suppress(KeyboardInterrupt):
            replay.replay(settings, Wanted(), Steps(), "ann", dry_run=False)
        assert [*kinds(events)] == [*range(len(made))]
    replay.replay(settings, Wanted(), Steps(), "ann", dry_run=False)
    assert [*kinds(events).values()] == [{"bad": "dead_letter"}.get(what, "repin") for what in made]


def test_an_event_that_came_home_is_read_compacted_and_not_shown_as_new(events: str, run: Run, place: str) -> None:
    land(events, letter(1), row(2))
    tail = Tail(events, timedelta(days=9999))
    tail.read()
    run()
    assert tail.read() == []
    land(events, row(3))
    assert [batch.rows.num_rows for batch in tail.read()] == [1]
    settings = load(CompactSettings, lake_uri=f"{place}/lake", compact_open_files=2, compact_closed_files=2)
    compaction.compact(settings, AT + timedelta(days=30), dry_run=False, unread_since=None)
    assert kinds(events) == {1: "repin", 2: "repin", 3: "repin"}


def test_a_network_that_is_left_of_an_address_is_located(events: str, run: Run, steps: Steps) -> None:
    value = bytes_without_addresses(json.dumps(event("login", ip="203.0.113.7:443")).encode())
    land(events, letter(1, value))
    run()
    assert steps.places.asked == ["203.0.113.0/24:443"]
    assert packed("203.0.113.0/24:443") == bytes([203, 0, 113, 0])
