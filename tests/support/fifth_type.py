"""The pipeline with a fifth event type: an entry in the contract, a migration and payloads, and no other code.

Run in a process of its own, since the rooms read the contract as they are imported:
``python -m tests.support.fifth_type``, and with a lake's folder as argument also from that lake to the database that
the environment names; with ``--letters`` before it, its letters come home first. An AssertionError names the part that
does not follow from the contract.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pinwheel.core import contract

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
# It shares the name of a comment's field, with another limit.
ENTRY = """
        EventType(
            "share",
            "shares",
            (
                PIN_ID,
                Field("channel", Type.STRING, "Where the pin was shared to", allowed=("mail", "chat")),
                Field("text", Type.STRING, "A note, as written", nullable=True, max_chars=200),
            ),
            names_pin=True,
        ),
"""
PAYLOAD: dict[str, Any] = {
    "event_id": "s-1",
    "event_type": "share",
    "occurred_at": "2026-03-14T12:00:00Z",
    "user_id": 1,
    "pin_id": 7,
    "channel": "mail",
    "text": "look",
}


def add_entry() -> None:
    """Read the contract again with the entry in it, before anything that is built from it is imported."""
    assert not [name for name in sys.modules if name.startswith(("expectations", "spark_jobs", "pinwheel.merge"))]
    path = Path(contract.__file__)
    source, count = re.subn(r"(EVENT_TYPES: .*\n.*\n    for kind in \()\n", rf"\1{ENTRY}", path.read_text())
    assert count == 1
    exec(compile(source, path, "exec"), vars(contract))


def parsed(*payloads: dict[str, Any]) -> list[dict[str, Any]]:
    import pyarrow as pa

    from spark_jobs.transforms.parse import RECORDS_SCHEMA, Limits, Parser

    values = [json.dumps(payload).encode() for payload in payloads]
    columns = {
        "value": values,
        "value_bytes": [len(value) for value in values],
        "kafka_partition": [0] * len(values),
        "kafka_offset": range(len(values)),
        "kafka_timestamp": [NOON] * len(values),
    }
    parser = Parser(Limits(max_value_bytes=65_536, max_future_seconds=600, max_past_days=30))
    return list(parser.parse(pa.table(columns, RECORDS_SCHEMA)).to_pylist())


def check_parser() -> dict[str, Any]:
    """Good and bad payloads; returns the good one's row."""
    long = "x" * 201
    comment = {"event_id": "c", "event_type": "comment", "occurred_at": PAYLOAD["occurred_at"], "user_id": 1}
    good, extra, channel, no_channel, text, other = parsed(
        PAYLOAD,
        {**PAYLOAD, "board_id": 5},
        {**PAYLOAD, "channel": "fax"},
        {**PAYLOAD, "channel": None},
        {**PAYLOAD, "text": long},
        {**comment, "pin_id": 7, "text": long},
    )
    row = {name: good[name] for name in ("event_type", "pin_id", "channel", "text", "board_id", "extra", "dead_reason")}
    assert row == {
        **{name: PAYLOAD[name] for name in ("event_type", "pin_id", "channel", "text")},
        **dict.fromkeys(("board_id", "extra", "dead_reason")),
    }
    assert (extra["dead_reason"], extra["extra"]) == (None, '{"board_id":5}')
    assert (channel["dead_reason"], channel["dead_detail"]) == ("bad_field", "channel=fax")
    assert (no_channel["dead_reason"], no_channel["dead_detail"]) == ("missing_field", "channel")
    assert text["dead_reason"] == "bad_field"
    assert (other["dead_reason"], other["text"]) == (None, long), "a comment's own limit holds for comments"
    return good


def check_schema_rules_and_statement() -> None:
    from expectations.measures import measures
    from expectations.suites import rules_of
    from pinwheel.clients import memsql
    from pinwheel.lake.events_table import arrow_schema

    assert {"channel", "text"} <= set(arrow_schema().names)
    rules = {rule.label: rule.broken for rule in rules_of("shares")}
    assert rules["expect_column_values_to_be_in_set(channel)"] == "channel NOT IN ('mail', 'chat')"
    assert rules["expect_text_at_most_chars(text)"] == "length(text) > 200"
    assert "null_share_channel" in {m.name for m in measures(contract.TABLES["shares"])}
    columns = [c.name for c in contract.reporting_columns(contract.TABLES["shares"])]
    statement = memsql.statement("merge/move_loaded", table="shares", columns=columns)
    assert f"INSERT INTO shares ({', '.join(columns)})" in statement


def migration() -> str:
    """The table and the view ``checked_``, made from those of repins, with a share's fields in place of the board."""
    from pinwheel.clients.memsql import SQL_DIR

    repins = (SQL_DIR / "schema" / "0003_repins.sql").read_text()
    quality = (SQL_DIR / "schema" / "0011_quality.sql").read_text()
    table = re.search(r"CREATE TABLE IF NOT EXISTS repins .*?;\n", repins, re.DOTALL)
    checked = re.search(r"CREATE VIEW checked_repins AS.*?;\n", quality, re.DOTALL)
    assert table is not None
    assert checked is not None
    text = f"{table[0]}\n{checked[0]}".replace("repin", "share")
    text = re.sub(r"board_id BIGINT COMMENT '.*?'", "channel VARCHAR(16), text VARCHAR(1000)", text)
    return text.replace("COALESCE(board_id, '~')", "COALESCE(channel, '~'), COALESCE(text, '~')")


def check_lake_to_reports(folder: str, row: dict[str, Any]) -> None:
    """Land the row in a new lake in ``folder``, and merge, roll up and check it."""
    from pinwheel.core.settings import MergeSettings, load
    from tests.support import lakes

    settings = load(MergeSettings, lake_uri=lakes.make(folder))
    known = {name: value for name, value in row.items() if name != "ip"}
    empty = dict.fromkeys(c.name for c in contract.LAKE_COLUMNS)
    pin = {"pin_status": "cached", "brand_id": 70, "category": "travel", "country_code": "NL"}
    lakes.land(settings.lake_uri, [{**empty, **known, **pin}, {**empty, **known, **pin, "kafka_offset": 9}])
    with migrated(settings, folder) as connection:
        check_merge(settings, connection)


@contextmanager
def migrated(settings: Any, folder: str) -> Iterator[Any]:
    """A connection to the database with the type's table, which is dropped at the end."""
    from pinwheel.clients import memsql

    file = Path(folder, "shares.sql")
    file.write_text(migration())
    with memsql.connect(settings, local_infile=True) as connection, connection.cursor() as cursor:
        try:
            memsql.execute_all(connection, str(file.with_suffix("")))
            yield connection
        finally:
            for name in ("VIEW checked_shares", "TABLE shares"):
                with suppress(Exception):
                    cursor.execute(f"DROP {name}")


def check_letters(folder: str) -> None:
    """Letters of a lake that waited for the type: they come home, to the table and the rollups, once."""
    from deltalake import DeltaTable

    from pinwheel.core.settings import MergeSettings, ReplaySettings, load
    from pinwheel.lake.replay import Wanted, replay
    from pinwheel.merge.merge import next_slice
    from spark_jobs.landing_task import Landed

    settings = load(MergeSettings, lake_uri=f"{folder}/lake")
    own = load(ReplaySettings, lake_uri=settings.lake_uri)
    wanted = Wanted("unknown_type", event_type="share")
    dry = replay(own, wanted, Landed(own), "ann", dry_run=True)
    assert (dry.letters, dry.passing["share"].letters, dry.landed) == (3, 2, 0)
    assert {name: kind.letters for name, kind in dry.lacking.items()} == {"bad_field: channel": 1}
    assert replay(own, wanted, Landed(own), "ann", dry_run=False).landed == 2
    version = DeltaTable(settings.events_uri).version()
    with migrated(settings, folder) as connection, connection.cursor() as cursor:
        check_merge(settings, connection)
        cursor.execute("SELECT country_code, ip_network, pin_status FROM shares")
        place = {"country_code": "US", "ip_network": "8.8.8.0/24", "pin_status": "cached"}
        assert cursor.fetchall() == [place], "located by the network that the letter kept"
        again = replay(own, wanted, Landed(own), "ann", dry_run=False)
        assert (again.letters, again.landed) == (1, 0)
        assert DeltaTable(settings.events_uri).version() == version
        assert next_slice("shares", settings, connection) is None


def check_merge(settings: Any, connection: Any) -> None:
    from pinwheel.core.settings import QualitySettings, load
    from pinwheel.merge.gate import Gate
    from pinwheel.merge.merge import merge, next_slice
    from pinwheel.quality.check import Checker
    from pinwheel.quality.judge import Judge
    from pinwheel.rollup.rollups import Rollups

    found = next_slice("shares", settings, connection)
    assert found is not None
    with closing(found):
        verdict = Gate(0.5).check(found)
        assert (verdict.reasons, verdict.warnings, verdict.quarantined) == ((), (), 0)
        counts = merge(found, connection, verdict)
    assert (counts.inserted, counts.duplicates) == (1, 1)
    assert Rollups().refresh(connection) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id, channel, text, brand_id, kafka_offset FROM shares")
        merged = {"event_id": "s-1", "channel": "mail", "text": "look", "brand_id": 70, "kafka_offset": 0}
        assert cursor.fetchall() == [merged]
        cursor.execute("SELECT * FROM rollup_increments")
        assert not cursor.fetchall()
    connection.commit()  # the check reads a snapshot of its own
    quality = load(QualitySettings, lake_uri=settings.lake_uri)
    outcome = Checker(quality, connection, Judge(None)).table("shares", NOON, NOON)
    assert (outcome.rows, outcome.unmet) == (1, [])


if __name__ == "__main__":
    add_entry()
    good = check_parser()
    check_schema_rules_and_statement()
    if sys.argv[1:2] == ["--letters"]:
        check_letters(sys.argv[2])
    else:
        for lake in sys.argv[1:]:
            check_lake_to_reports(lake, good)
