"""An erased person is nowhere, everybody else is as before, and a killed erasure is gone on with."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest
from deltalake import DeltaTable

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import ROLLUP_TABLES, TABLES
from pinwheel.core.errors import EraseError, LakeError
from pinwheel.core.mentions import Mention
from pinwheel.core.settings import MergeSettings, RetentionSettings
from pinwheel.erase import database, ledger, passing, run, traces
from pinwheel.erase.ledger import Request
from pinwheel.erase.receipt import told
from pinwheel.erase.run import erase, look, receipt_of
from pinwheel.lake import erased_people, erasure, old_files, stretches
from pinwheel.lake.stretches import Stretch
from pinwheel.operate.airflow_cleanup import DATABASE_URL
from pinwheel.operate.expire import apply_retention
from pinwheel.rollup import people
from tests.support import erasures
from tests.support.dying import die_at
from tests.support.erasures import OTHER, PERSON, PIN, REQUEST, World, lake_rows, others, rows_about_them, their_rows
from tests.support.lakes import NOON, event, land
from tests.support.types import Query


@pytest.fixture
def world(settings: MergeSettings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = erasures.make(settings, connection, tmp_path)
    monkeypatch.setenv(DATABASE_URL, f"sqlite:///{made.airflow}")
    return made


def tables(query: Query) -> dict[str, list[Row]]:
    """The rows of all reporting tables and rollups; people by id, not by number."""
    times = {"updated_at", "fetched_at"}
    names = [*TABLES, *(t for t in ROLLUP_TABLES if not t.startswith("people_")), "people_daily_counts", "pin_cache"]
    found = {t: [{k: v for k, v in r.items() if k not in times} for r in query(f"SELECT * FROM {t}")] for t in names}
    return {table: sorted(rows, key=str) for table, rows in found.items()}


def without_person(rows: list[Row]) -> list[Row]:
    """Rows of a lake that never had the person, but has the same rows of others."""
    kept = [row for row in rows if row["user_id"] != PERSON and row["event_type"] != "dead_letter"]
    return [row | ({"pin_creator_id": None} if row["pin_creator_id"] == PERSON else {}) for row in kept]


def test_a_person_is_nowhere_afterwards(world: World, query: Query) -> None:
    world.plant()
    before = look(world.settings, PERSON)
    assert {"lake rows", "lake log", "table repins", "table people", *erasures.PLANTED} <= set(before.finds)

    receipt = erase(world.settings, REQUEST, world.merge)

    after = look(world.settings, PERSON)
    assert dict(after.finds) == {}
    assert set(after.looked_at) >= set(before.finds) - {"table quarantine"}
    assert str(PERSON) not in json.dumps(receipt) + told(receipt)
    assert receipt["proof"]["found"] == 0
    assert {"lake login": 3, "lake repin": 2, "lake pin": 1, "lake dead letters": 2}.items() <= receipt[
        "erased"
    ].items()
    assert receipt_of(world.settings, receipt["erasure_id"]) == receipt
    assert query("SELECT event_type, COUNT(*) AS n FROM erased_records GROUP BY event_type ORDER BY 1") == [
        {"event_type": "comment", "n": 1},
        {"event_type": "login", "n": 3},
        {"event_type": "pin", "n": 1},
        {"event_type": "repin", "n": 2},
    ]


def test_another_log_with_the_same_places(world: World, query: Query) -> None:
    """A quarantined row of a stranger stays; the receipt says that the records can be of any of the logs."""
    world.plant()
    for number, event_id in enumerate(("login-4", "a stranger's", None)):
        world.execute(
            "INSERT INTO quarantine (slice_id, row_num, table_name, event_id, kafka_partition, kafka_offset, reason,"
            " row_json) VALUES (1000001, %s, 'logins', %s, 0, 4, 'r', '{}')",
            number,
            event_id,
        )
    kept = stretches.as_property([Stretch(0, "old", {}, {}, end={}, version=1), Stretch(1, "new", {}, {})])
    DeltaTable(world.settings.events_uri).alter.set_table_properties(kept, raise_if_not_exists=False)

    receipt = erase(world.settings, REQUEST, world.merge)

    left = query("SELECT event_id FROM quarantine WHERE slice_id = 1000001 ORDER BY row_num")
    assert left == [{"event_id": "a stranger's"}, {"event_id": None}]
    assert "records of 2 logs of Kafka" in told(receipt)


def test_days_whose_rows_have_expired(world: World, query: Query) -> None:
    """Their rollups stay as they are, so nothing takes the person out of them: they count nobody in particular."""
    world.plant()
    world.execute("INSERT INTO books VALUES ('all', '', 0, '{}', '[]', 1, CURRENT_TIMESTAMP(6), '2099-12-31')")
    values = world.settings.model_dump(include=set(RetentionSettings.model_fields))
    days = {"retain_event_days": 70, "retain_presence_days": 0, "retain_pin_days": 0}
    apply_retention(RetentionSettings(**values | days), NOON + timedelta(days=71), dry_run=False)
    (before,) = query("SELECT COUNT(DISTINCT day) AS days, SUM(repins) AS repins FROM brand_daily")
    assert query("SELECT COUNT(*) AS n, MIN(DATE(occurred_hour)) AS day FROM logins")[0]["n"] > 0, "of a kept day"

    erase(world.settings, REQUEST, world.merge)

    assert dict(look(world.settings, PERSON).finds) == {}
    (after,) = query("SELECT COUNT(DISTINCT day) AS days, SUM(repins) AS repins FROM brand_daily")
    assert after == before, "the person's repins were of an expired day"
    assert query("SELECT MIN(day) AS day FROM presence") == [{"day": date(2026, 3, 15)}]


def test_others_are_as_if_the_person_had_never_been(world: World, query: Query) -> None:
    """Tables and rollups equal those of a lake without the person's rows."""
    world.plant()
    before = {row["kafka_offset"]: row for row in lake_rows(world.settings.lake_uri).to_pylist()}
    erase(world.settings, REQUEST, world.merge)
    world.merge()

    after = lake_rows(world.settings.lake_uri).to_pylist()
    untouched = [before[row["kafka_offset"]] for row in after if row["kafka_offset"] >= 200]
    assert untouched == [row for row in after if row["kafka_offset"] >= 200]
    found = tables(query)
    assert {r["event_id"] for t in TABLES for r in found[t]} == {
        r["event_id"] for r in without_person(list(before.values()))
    }
    days = query(
        "SELECT DISTINCT DATE(occurred_hour) AS day FROM logins UNION SELECT DISTINCT DATE(occurred_hour) FROM repins"
        " UNION SELECT DISTINCT DATE(occurred_hour) FROM comments UNION SELECT DISTINCT DATE(occurred_hour) FROM pins"
    )
    for row in days:
        world.execute("INSERT IGNORE INTO stale_days (day) VALUES (%s)", row["day"])
    for _ in days:
        world.merge()
    assert tables(query) == found, "the rollups are what their rows say"


@pytest.mark.parametrize("pins", [False, True])
def test_pins_of_theirs(world: World, query: Query, pins: bool) -> None:
    world.plant()
    world.execute("UPDATE pin_cache SET title = 'my kitchen' WHERE pin_id = %s", PIN)
    erase(world.settings, Request(PERSON, "why", "ann", "bea", pins), world.merge)
    rows = query(f"SELECT title, creator_id FROM pin_cache WHERE pin_id IN ({PIN}, {PIN + 1}) ORDER BY pin_id")
    kept = [{"title": "my kitchen", "creator_id": None}, {"title": "my garden", "creator_id": None}]
    assert rows == ([] if pins else kept)
    titles = {r["title"] for r in lake_rows(world.settings.lake_uri).to_pylist() if r["pin_id"] == PIN}
    assert titles == ({None} if pins else {"my kitchen"})


def test_the_scan_finds_a_planted_id(world: World) -> None:
    """In each store where it is: the proof would fail."""
    land(world.settings.lake_uri, others(0))
    world.merge()
    planted = set[str]()
    for store, plant in erasures.PLANTED.items():
        assert set(look(world.settings, PERSON).finds) == planted
        plant(world)
        planted.add(store)
    assert set(look(world.settings, PERSON).finds) == planted


def _land_them(world: World) -> None:
    land(world.settings.lake_uri, their_rows(300))


def _merge_them(world: World) -> None:
    _land_them(world)
    world.merge()


@pytest.mark.parametrize(("plant", "stores"), [
    (_land_them, {"lake rows", "lake log"}),
    (_merge_them, {"table logins", "table people", "table presence", "table person_homes"}),
    (lambda world: land(world.settings.lake_uri, rows_about_them(300)), {"lake rows"}),
])  # fmt: skip
def test_the_scan_decodes_what_is_not_text(world: World, plant: Callable[[World], None], stores: set[str]) -> None:
    land(world.settings.lake_uri, others(0))
    world.merge()
    plant(world)
    assert stores <= set(look(world.settings, PERSON).finds)


DEATHS: list[tuple[Any, str]] = [
    (ledger, "begin"),
    (erased_people, "add"),
    (ledger, "note_records"),
    (erasure, "erase"),
    (passing, "wait_for_merges"),
    (people, "forget"),
    (database, "_replace_texts"),
    (database, "erase"),
    (old_files, "remove"),
    (old_files, "shorten_log"),
    (traces, "erase_files"),
    (traces, "erase_airflow"),
    (run, "look"),
    (run, "outside"),
    (ledger, "finish"),
]


AFTER = {"begin", "erase", "forget", "erase_airflow", "finish"}  # elsewhere it is the same as before the next


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [*((*death, False) for death in DEATHS), *((*death, True) for death in DEATHS if death[1] in AFTER)],
)
def test_a_killed_erasure_is_gone_on_with(
    world: World, query: Query, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after: bool
) -> None:
    """Nothing lost, nothing twice, nothing left, wherever it dies."""
    world.plant()
    function = getattr(module, name)

    def dying(*given: Any, **named: Any) -> Any:
        if after:
            function(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, dying)
        with pytest.raises(KeyboardInterrupt):
            erase(world.settings, REQUEST, world.merge)
    if query("SELECT * FROM erasures WHERE finished_at IS NOT NULL"):
        return  # it was done
    receipt = erase(world.settings, REQUEST, world.merge)

    assert dict(look(world.settings, PERSON).finds) == {}
    assert query("SELECT COUNT(*) AS n, MAX(step) AS step FROM erasures") == [{"n": 1, "step": "done"}]
    assert {"lake login": 3, "lake repin": 2, "lake pin": 1}.items() <= receipt["erased"].items()
    counts = query("SELECT SUM(repins) AS repins, SUM(comments) AS comments FROM brand_daily")
    assert counts == query(
        "SELECT (SELECT COUNT(*) FROM repins) AS repins, (SELECT COUNT(*) FROM comments) AS comments"
    )


@pytest.mark.parametrize("statement", ["erase/move", "erase/replace", "rollup/number_people", "erase/person"])
def test_a_killed_transaction_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    world.plant()
    with monkeypatch.context() as patch:
        die_at(patch, statement)
        with pytest.raises(KeyboardInterrupt):
            erase(world.settings, REQUEST, world.merge)
    erase(world.settings, REQUEST, world.merge)
    assert dict(look(world.settings, PERSON).finds) == {}


def test_what_lands_meanwhile_is_erased_in_another_round(world: World) -> None:
    """A worker that had not seen the list, while tables are merged."""
    world.plant()
    late = iter([their_rows(400)])

    def wait(seconds: float) -> None:
        if seconds == passing.POLL_SECONDS and (rows := next(late, None)):
            land(world.settings.lake_uri, rows)
            land(world.settings.lake_uri, others(500))
        world.merge()

    receipt = erase(world.settings, REQUEST, wait)

    assert dict(look(world.settings, PERSON).finds) == {}
    assert receipt["erased"]["lake login"] == 6
    assert len([r for r in lake_rows(world.settings.lake_uri).to_pylist() if r["kafka_offset"] >= 500]) == 41


def test_what_comes_back_each_time_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plant()
    written = traces.erase_airflow
    monkeypatch.setattr(traces, "erase_airflow", lambda mention: written(mention) | {"x": len(str(_log(world)))})
    with pytest.raises(EraseError, match="after 3 rounds the id is still in logs 1") as raised:
        erase(world.settings, REQUEST, world.merge)
    assert str(PERSON) not in str(raised.value)


def _log(world: World) -> Path:
    return world.write(world.logs, f"hello {PERSON}\n")


def test_a_reader_that_does_not_get_on_is_named(world: World) -> None:
    world.plant()
    impatient = world.settings.model_copy(update={"erasure_wait_seconds": 0.01})
    with pytest.raises(EraseError, match=r"repins shard 0.* must still read version"):
        erase(impatient, REQUEST, lambda _: None)
    erase(world.settings, REQUEST, world.merge)


def test_a_file_that_is_about_to_be_committed_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plant()
    remove, tries = old_files.remove, iter([True, True])

    def removing(*given: Any) -> int:
        if next(tries, False):
            raise LakeError("young")
        return remove(*given)

    monkeypatch.setattr(old_files, "remove", removing)
    erase(world.settings, REQUEST, world.merge)
    assert dict(look(world.settings, PERSON).finds) == {}


@pytest.mark.parametrize(
    "statement", ["rollup/claim", "erase/quarantine", "erase/replace", "operate/retention/delete_presence"]
)
def test_a_lock_conflict_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """With a merge, or the stream that saves pins."""
    world.plant()
    world.execute("DELETE FROM people_daily")
    execute, deadlocks = memsql.execute, iter([pymysql.err.OperationalError(1213, "deadlock")])

    def losing(connection: Connection, name: str, *given: Any, **named: Any) -> int:
        if name == statement and (error := next(deadlocks, None)):
            raise error
        return execute(connection, name, *given, **named)

    monkeypatch.setattr(memsql, "execute", losing)
    counts = database.erase(world.connection, Mention(PERSON), "an erasure", pins=False)
    assert (counts["table people"], counts["table pin_cache"], counts["table alerts (quotes)"]) == (1, 2, 1)
    assert next(deadlocks, None) is None


def test_days_that_are_made_anew_are_waited_for(world: World) -> None:
    """Their presence was retired, and each refresh makes one anew."""
    world.plant()
    world.execute("INSERT INTO retention (store, kept_from) VALUES ('presence', '2026-03-20')")
    world.execute("DELETE FROM presence")
    impatient = world.settings.model_copy(update={"erasure_wait_seconds": 0.01})
    waits = iter([world.merge])
    with pytest.raises(EraseError, match=r"the rollups of 2026-03-14 must still be made anew"):
        erase(impatient, REQUEST, lambda s: s == passing.POLL_SECONDS and next(waits, lambda _: None)(s))
    erase(world.settings, REQUEST, world.merge)
    assert dict(look(world.settings, PERSON).finds) == {}


def test_numbers_that_look_like_the_id_stay(world: World, query: Query) -> None:
    """Of pins, offsets, counts and brands: they are other people's, and nothing would bring them back."""
    counts, url = json.dumps({"lake rows": PERSON}), f"https://a.org/{PERSON}.jpg"
    world.execute("INSERT INTO pin_cache (pin_id, link, image_url) VALUES (%s, %s, %s)", PERSON, url, url)
    world.execute("INSERT INTO books VALUES ('all', '', 0, %s, '[]', 1, NOW(), NULL)", counts)
    world.execute(
        "INSERT INTO merge_slices (table_name, from_version, to_version, state, progress) VALUES (%s, -9, -8, %s, %s)",
        *("repins", "superseded", json.dumps({"0": [PERSON, "2026-03-14"]})),
    )
    tables = ("pin_cache", "books", "merge_slices")
    before = [query(f"SELECT * FROM {table}") for table in tables]
    report = world.write(Path(world.settings.reports_uri), f"repins: {PERSON}\n")
    assert dict(look(world.settings, PERSON).finds) == {}
    database.erase(world.connection, Mention(PERSON), "an erasure", pins=False)
    traces.erase_files(world.settings, Mention(PERSON))
    assert [query(f"SELECT * FROM {table}") for table in tables] == before
    assert report.read_text() == f"repins: {PERSON}\n"


def test_a_count_of_nulls_is_no_id(world: World) -> None:
    """A file's ``nullCount`` in Delta's log follows ``user_id``; in entries and in a checkpoint."""
    uri, letters = world.settings.lake_uri, 3
    land(uri, [event("dead_letter", None, n, user_id=None, dead_value=b"{", dead_detail="x") for n in range(letters)])
    assert dict(look(world.settings, letters).finds) == {}
    DeltaTable(world.settings.events_uri).create_checkpoint()
    assert dict(look(world.settings, letters).finds) == {}
    assert look(world.settings, letters).looked_at["lake log"] >= 3


def test_an_open_log_is_written_on(world: World) -> None:
    world.plant()
    path = world.write(world.logs, f"user_id={PERSON} came\n")
    with path.open("a") as open_log:
        erase(world.settings, REQUEST, world.merge)
        open_log.write("and went\n")
    assert path.read_text() == "user_id=0        came\nand went\n"


def test_the_others_keep_their_numbers(world: World, connection: Connection) -> None:
    world.plant()
    before = people.ids(connection).tolist()
    connection.commit()
    erase(world.settings, REQUEST, world.merge)
    after = people.ids(connection).tolist()
    assert [b for b, a in zip(before, after, strict=True) if a != b] == [PERSON]
    land(world.settings.lake_uri, others(600, 8))
    world.merge()
    assert people.ids(connection).tolist()[: len(after)] == after


def test_an_id_of_few_digits_is_erased_too(world: World) -> None:
    """Where it is a person's; other numbers like it stay."""
    world.plant()
    world.write(world.logs, f"rows={OTHER} user_id={OTHER}\n")
    receipt = erase(world.settings, Request(OTHER, "why", "ann", "bea"), world.merge)
    assert dict(look(world.settings, OTHER).finds) == {}
    assert receipt["erased"]["lake repin"] >= 1
    assert any(path.read_text() == f"rows={OTHER} user_id=0 \n" for path in world.logs.iterdir())


@pytest.mark.parametrize(("asked", "why"), [
    (Request(PERSON, "", "ann", "bea"), "needs a reason"),
    (Request(0, "why", "ann", "bea"), "nobody's id"),
    (Request(PERSON, f"by letter of {PERSON}", "ann", "bea"), "must not have the id"),
    (Request(PERSON, "why", "ann", ""), "somebody must approve"),
    (Request(PERSON, "why", "ann", " Ann"), "another one must"),
])  # fmt: skip
def test_what_nobody_may_do(world: World, query: Query, asked: Request, why: str) -> None:
    with pytest.raises(EraseError, match=why):
        erase(world.settings, asked)
    assert query("SELECT * FROM erasures") == []


def test_one_person_alone_where_that_is_allowed() -> None:
    Request(PERSON, "why", "ann", "ann").check(alone=True)


def test_the_form_of_a_run() -> None:
    form = {"user_id": PERSON, "reason": "why", "erase_pins": True}
    assert ledger.asked_by_form(form, "ann", {"id": "7", "name": "bea"}) == Request(PERSON, "why", "ann", "bea", True)
    with pytest.raises(EraseError, match="trigger the Dag again"):
        ledger.asked_by_form(form | {"user_id": 0}, "ann", None)


def test_another_person_s_row_of_the_same_id_takes_the_place(world: World, query: Query) -> None:
    """It was spare while the erased one counted; also when the erasure dies before it is sent again."""
    land(
        world.settings.lake_uri, [event("repin", "same", 0, user_id=PERSON), event("login", "alone", 1, user_id=PERSON)]
    )
    land(world.settings.lake_uri, [event("repin", "same", 2, user_id=OTHER), event("repin", "same", 3, user_id=OTHER)])
    world.merge()
    assert query("SELECT user_id FROM repins") == [{"user_id": PERSON}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure, "send_others_again", die)
        with pytest.raises(KeyboardInterrupt):
            erase(world.settings, REQUEST, world.merge)
    erase(world.settings, REQUEST, world.merge)
    assert query("SELECT user_id, kafka_offset FROM repins") == [{"user_id": OTHER, "kafka_offset": 2}]
    assert query("SELECT user_id FROM logins") == []


def test_two_rows_of_others_at_one_place_of_two_logs(world: World, query: Query) -> None:
    land(world.settings.lake_uri, [event("repin", "same", 0, user_id=PERSON)])
    for n in (1, 2):
        at = NOON + n * timedelta(hours=1)
        land(world.settings.lake_uri, [event("repin", "same", 5, user_id=OTHER, kafka_timestamp=at)])
    world.merge()
    erase(world.settings, REQUEST, world.merge)
    assert query("SELECT user_id, kafka_offset FROM repins") == [{"user_id": OTHER, "kafka_offset": 5}]


def die(*_: object) -> None:
    raise KeyboardInterrupt
