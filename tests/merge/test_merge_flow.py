"""The reporting tables after stage and merge, on a real lake and a real database."""

from collections.abc import Callable

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Engine, Row
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import merge as merging
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.plan import Counts
from pinwheel.rollup.rollups import Rollups
from tests.support import slices
from tests.support.dying import die_at
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.places import on_disk_and_in_a_store
from tests.support.slices import prepared
from tests.support.types import Query

MergeAll = Callable[..., list[Counts]]


@pytest.fixture
def merge_all(settings: MergeSettings, connection: Connection) -> MergeAll:
    """Merges all that is due for a table, then the rollups; returns the counts of each slice."""

    def go(table: str = "repins") -> list[Counts]:
        done = slices.merge_all(table, settings, connection)
        Rollups().refresh(connection)
        return done

    return go


def everything(query: Query) -> list[list[Row]]:
    stamps = {"updated_at", "fetched_at"}
    tables = ("repins", "brand_hourly", "brand_daily", "brand_country_daily", "category_hourly", "merge_shards")
    return [[{k: v for k, v in r.items() if k not in stamps} for r in query(f"SELECT * FROM {t}")] for t in tables]


@on_disk_and_in_a_store
def test_repins_reach_the_table_and_the_rollups(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, user_id=2, occurred_at=NOON + hours(1))])
    (counts,) = merge_all()
    assert counts.inserted == 2
    assert [r["event_id"] for r in query("SELECT event_id FROM repins ORDER BY event_id")] == ["a", "b"]
    hourly = query("SELECT brand_id, hour, repins, unique_people FROM brand_hourly ORDER BY hour")
    assert [(r["brand_id"], r["hour"].hour, r["repins"], r["unique_people"]) for r in hourly] == [
        (70, 12, 1, 1),
        (70, 13, 1, 1),
    ]
    (daily,) = query("SELECT * FROM brand_daily")
    assert (daily["repins"], daily["pins"], daily["unique_people"]) == (2, 0, 2)


@on_disk_and_in_a_store
def test_merging_again_changes_nothing(
    settings: MergeSettings, connection: Connection, merge_all: MergeAll, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    slice_ = prepared("repins", settings, connection)
    merge(slice_, connection)
    Rollups().refresh(connection)
    before = everything(query)
    assert merge_all() == []
    with pytest.raises(SupersededError):
        merge(slice_, connection)
    assert everything(query) == before
    assert query("SELECT state FROM merge_slices") == [{"state": "merged"}]


def test_a_zombie_s_slice_is_not_merged(
    settings: MergeSettings, connection: Connection, merge_all: MergeAll, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    late = prepared("repins", settings, connection)
    merge_all()  # another run prepares and merges the same versions
    before = everything(query)
    with pytest.raises(SupersededError):
        merge(late, connection)
    assert everything(query) == before


def test_a_watermark_that_moved_rolls_everything_back(
    settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    found = prepared("repins", settings, connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE merge_shards SET version = 99")
    connection.commit()
    with pytest.raises(SupersededError, match="no longer at version -1"):
        merge(found, connection)
    assert query("SELECT * FROM repins") == query("SELECT * FROM merge_slices") == []


def test_a_row_that_the_database_skips_rolls_everything_back(
    settings: MergeSettings, connection: Connection, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOCAL skips a duplicate and cuts a long value with a warning."""
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, city="x" * 300)])
    with pytest.raises(MergeError, match=r"repins took 2 of 2 rows; .*Data truncated for column 'city' at row 2"):
        merge(prepared("repins", settings, connection), connection)
    land(settings.lake_uri, [event("comment", "a", 3)])
    slices.merge_all("comments", settings, connection)
    land(settings.lake_uri, [event("comment", "a", 4), event("comment", "b", 5)])
    monkeypatch.setattr(merging, "_kept", lambda *_: [])  # as if nobody had asked what is there
    with pytest.raises(MergeError, match=r"comments took 1 of 2 rows; .*Duplicate entry 'a'"):
        merge(prepared("comments", settings, connection), connection)
    assert query("SELECT event_id FROM repins UNION SELECT event_id FROM comments") == [{"event_id": "a"}]
    assert [row["version"] for row in query("SELECT version FROM merge_shards ORDER BY table_name")] == [2, -1]
    assert len(query("SELECT * FROM rollup_increments")) == 1


DIES_AT = ["merge/record_slice", "merge/delete", "merge/load", "merge/note_pending", "merge/queue_increments"]


@pytest.mark.parametrize("statement", DIES_AT)
def test_a_merge_that_dies_has_changed_nothing_and_the_next_one_does_it(
    settings: MergeSettings, merge_all: MergeAll, query: Query, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1, pin_status="pending")])
    merge_all()
    before = everything(query)
    update(settings.lake_uri, "event_id = 'a'", {"user_id": "9"})
    land(settings.lake_uri, [event("repin", "c", 2, pin_status="pending", pin_id=8)])

    die_at(monkeypatch, statement, "repins")
    with pytest.raises(KeyboardInterrupt):
        merge_all()
    monkeypatch.undo()
    assert everything(query) == before
    assert sum(counts.inserted for counts in merge_all()) == 1
    rows = query("SELECT event_id, user_id FROM repins ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [("a", 9), ("b", 1), ("c", 1)]


def test_where_loads_are_not_part_of_a_transaction_rows_are_inserted_in_one(
    settings: MergeSettings, merge_all: MergeAll, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake engine: the embedded server, with a commit after each LOAD DATA."""
    execute = memsql.execute
    loads: list[str] = []

    def committing(asked: Connection, name: str, *given: object, **names: object) -> int:
        rows = execute(asked, name, *given, **names)  # type: ignore[arg-type]  # passed on as they came
        if name == "merge/load":
            loads.append(str(names["table"]))
            asked.commit()
        return rows

    monkeypatch.setattr(memsql, "execute", committing)
    monkeypatch.setitem(memsql.ENGINES, "mariadb", Engine("mariadb", loads_in_transaction=False))
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "b", 1)])
    merge_all()
    update(settings.lake_uri, "event_id = 'a'", {"user_id": "9"})
    land(settings.lake_uri, [event("repin", "b", 2), event("repin", "c", 3)])
    merge_all()
    assert "repins" not in loads
    rows = query("SELECT event_id, user_id, kafka_offset FROM repins ORDER BY event_id")
    assert [tuple(row.values()) for row in rows] == [("a", 9, 0), ("b", 1, 1), ("c", 1, 3)]
    assert query("SELECT repins, unique_people FROM brand_hourly") == [{"repins": 3, "unique_people": 2}]


def test_first_delivery_wins_within_a_slice(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    rows = [
        event("repin", "a", 2, board_id=9, kafka_timestamp=NOON + hours(1)),
        event("repin", "a", 1),
        event("repin", "a", 3, kafka_timestamp=NOON + hours(1)),
    ]
    land(settings.lake_uri, rows)
    (counts,) = merge_all()
    assert (counts.inserted, counts.duplicates, counts.conflicting) == (1, 1, 1)
    assert query("SELECT kafka_offset, board_id FROM repins") == [{"kafka_offset": 1, "board_id": 5}]


def test_first_delivery_wins_over_slices(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 5)])
    merge_all()
    again = [event("repin", "a", 6), event("repin", "a", 7, user_id=8), event("repin", "a", 8, brand_id=None)]
    land(settings.lake_uri, again)
    (counts,) = merge_all()
    # Another brand is our enrichment, not the producer's payload: a duplicate.
    assert (counts.inserted, counts.duplicates, counts.conflicting) == (0, 2, 1)
    assert query("SELECT user_id, kafka_offset FROM repins") == [{"user_id": 1, "kafka_offset": 5}]
    assert query("SELECT repins, unique_people FROM brand_hourly") == [{"repins": 1, "unique_people": 1}]


def test_first_delivery_wins_over_one_with_its_place_in_another_log(
    settings: MergeSettings, merge_all: MergeAll, query: Query
) -> None:
    """A topic was made anew, and its producers sent everything again, in the same order."""
    land(settings.lake_uri, [event("repin", "same", 5, user_id=1)])
    merge_all()
    again = NOON + hours(1)
    land(settings.lake_uri, [event("repin", "same", 5, user_id=2, occurred_at=again, kafka_timestamp=again)])
    merge_all()
    assert [row["user_id"] for row in query("SELECT user_id FROM repins")] == [1]
    delete(settings.lake_uri, "user_id = 1")
    merge_all()
    assert query("SELECT * FROM repins") == []


def test_late_completion_moves_a_row_between_buckets(
    settings: MergeSettings, merge_all: MergeAll, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, brand_id=None, category=None, pin_status="pending")])
    merge_all()
    assert query("SELECT * FROM brand_hourly") == []
    assert [r["category"] for r in query("SELECT category FROM category_hourly")] == ["(none)"]
    update(settings.lake_uri, "event_id = 'a'", {"brand_id": "33", "category": "'food'", "pin_status": "'fetched'"})
    (counts,) = merge_all()
    assert (counts.updated, counts.inserted, counts.overtaken) == (1, 0, 0)
    assert query("SELECT brand_id, repins FROM brand_hourly") == [{"brand_id": 33, "repins": 1}]
    assert query("SELECT category, repins FROM category_hourly") == [{"category": "food", "repins": 1}]


def test_a_correction_in_the_same_slice_counts_once(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, brand_id=None)])
    update(settings.lake_uri, "event_id = 'a'", {"brand_id": "33"})
    (counts,) = merge_all()
    assert (counts.inserted, counts.overtaken) == (1, 1)
    assert query("SELECT brand_id FROM repins") == [{"brand_id": 33}]


def test_a_correction_of_another_delivery_stays_out(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_all()
    land(settings.lake_uri, [event("repin", "a", 1, board_id=9)])
    update(settings.lake_uri, "kafka_offset = 1", {"board_id": "10"})
    (counts,) = merge_all()
    assert (counts.updated, counts.conflicting, counts.overtaken) == (0, 1, 1)
    assert query("SELECT board_id FROM repins") == [{"board_id": 5}]


def test_erasure_takes_the_row_and_its_buckets_away(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0, user_id=4), event("repin", "b", 1, brand_id=71, user_id=5)])
    merge_all()
    delete(settings.lake_uri, "user_id = 4")
    (counts,) = merge_all()
    assert (counts.deleted, counts.overtaken) == (1, 0)
    assert query("SELECT event_id FROM repins") == [{"event_id": "b"}]
    for rollup in ("brand_hourly", "brand_daily", "brand_country_daily"):
        assert query(f"SELECT brand_id, repins FROM {rollup}") == [{"brand_id": 71, "repins": 1}]


def test_deleting_a_spare_delivery_keeps_the_row(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "a", 1)])
    merge_all()
    delete(settings.lake_uri, "kafka_offset = 1")
    (counts,) = merge_all()
    assert (counts.deleted, counts.overtaken) == (0, 1)
    assert query("SELECT kafka_offset FROM repins") == [{"kafka_offset": 0}]


def test_a_redelivery_takes_the_place_of_an_erased_row(
    settings: MergeSettings, merge_all: MergeAll, query: Query
) -> None:
    land(settings.lake_uri, [event("repin", "a", 0)])
    merge_all()
    land(settings.lake_uri, [event("repin", "a", 1)])
    delete(settings.lake_uri, "kafka_offset = 0")
    (counts,) = merge_all()
    assert (counts.deleted, counts.inserted) == (1, 1)
    assert query("SELECT kafka_offset FROM repins") == [{"kafka_offset": 1}]


def test_versions_without_rows_move_watermark_and_progress_only(
    settings: MergeSettings, merge_all: MergeAll, query: Query
) -> None:
    version = land(settings.lake_uri, [event("login", "x", 41)])
    assert merge_all("repins") == []
    assert query("SELECT table_name, version FROM merge_shards") == [{"table_name": "repins", "version": version}]
    (progress,) = query("SELECT * FROM table_progress WHERE table_name = 'repins'")
    assert (progress["next_offset"], progress["kafka_timestamp"]) == (42, NOON.replace(tzinfo=None))
    assert query("SELECT * FROM merge_slices") == []


def test_logins_have_no_rollups_and_pins_fill_the_cache(
    settings: MergeSettings, merge_all: MergeAll, query: Query
) -> None:
    rows = [event("login", "l", 0), event("pin", "p", 1, title="One\tpin", link="https://x.test")]
    land(settings.lake_uri, rows)
    assert merge_all("logins")[0].inserted == 1
    assert merge_all("pins")[0].inserted == 1
    assert query("SELECT pin_id, brand_id, title, creator_id FROM pin_cache") == [
        {"pin_id": 7, "brand_id": 70, "title": "One\tpin", "creator_id": 3}
    ]
    assert query("SELECT pins, unique_people FROM brand_hourly") == [{"pins": 1, "unique_people": 1}]


AWKWARD = [
    "a\tb",
    "line\nbreak\r\n",
    "back\\slash \\N \\t",
    "nul\0in it",
    "",
    "\\N",
    "emoji 🎡🧵 ẞ ñ",
    "'\"`%s%(x)s--",
    "end ",
]


def test_awkward_text_comes_through_unchanged(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    rows = [event("comment", f"c{i}", i, text=text) for i, text in enumerate(AWKWARD)]
    land(settings.lake_uri, [*rows, event("comment", "pad ", 98), event("comment", "pad", 99)])
    (counts,) = merge_all("comments")
    assert counts.inserted == len(AWKWARD) + 2, "ids that differ by a blank are two events"
    found = query("SELECT text FROM comments WHERE kafka_offset < 90 ORDER BY kafka_offset")
    assert [r["text"] for r in found] == AWKWARD


def test_the_ledger_s_counts_add_up(settings: MergeSettings, merge_all: MergeAll, query: Query) -> None:
    land(settings.lake_uri, [event("repin", "a", 0), event("repin", "a", 1), event("repin", "a", 2, user_id=2)])
    update(settings.lake_uri, "kafka_offset = 0", {"city": "'Gouda'"})
    merge_all()
    (row,) = query("SELECT * FROM merge_slices")
    parts = ("inserted", "updated", "deleted", "duplicates", "conflicting", "quarantined", "overtaken")
    assert row["rows_read"] == sum(row[p] for p in parts) == 4
    assert row["merged_at"] >= row["audited_at"] >= row["started_at"]


def test_slices_stop_growing_at_the_setting(settings: MergeSettings, connection: Connection, query: Query) -> None:
    for i in range(3):
        land(settings.lake_uri, [event("repin", f"e{i}{j}", 10 * i + j) for j in range(4)])
    small = settings.model_copy(update={"merge_slice_rows": 8})
    found = prepared("repins", small, connection)
    assert (found.versions.to, found.rows_read) == (2, 8)


def test_an_id_below_the_newest_is_asked_for_and_one_above_is_not(
    settings: MergeSettings, connection: Connection, merge_all: MergeAll
) -> None:
    land(settings.lake_uri, [event("repin", "m", 0)])
    merge_all()
    land(settings.lake_uri, [event("repin", name, 1 + n) for n, name in enumerate(["a", "m", "m ", "z", "é"])])
    slice_ = prepared("repins", settings, connection)
    assert slice_.ids_to_ask("m").to_pylist() == ["a", "m"]
    counts = merge(slice_, connection)
    assert (counts.inserted, counts.duplicates) == (4, 1)
    assert next_slice("repins", settings, connection) is None
