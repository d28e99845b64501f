"""Erases a person from the tables that the change feed does not reach."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.mentions import Mention
from pinwheel.merge.ledger import PRESENCE, SupersededError, kept_from
from pinwheel.operate.expire import delete_rows
from pinwheel.rollup import people

TEXT_TYPES = {"char", "varchar", "text", "mediumtext", "longtext", "tinytext", "json"}
TRIES = 20  # a refresh of the rollups takes a second, every six


def erase(connection: Connection, mention: Mention, erasure_id: str, *, pins: bool) -> dict[str, int]:
    """Erase; returns counts by table. Each statement finds what is left: dying between two, or twice, loses nothing."""
    user_id = int(mention.digits)
    expired = kept_from(connection)
    connection.commit()
    # Of all people: no refresh changes days whose rows have expired.
    counts = {"presence": delete_rows(connection, PRESENCE, expired)}
    counts["people"] = int(_forget_number(connection, user_id))
    counts |= memsql.retry_conflicts(lambda: _delete_rows(connection, user_id, erasure_id, pins))
    counts |= _replace_texts(connection, mention)
    return {f"table {name}": count for name, count in counts.items()}


def _delete_rows(connection: Connection, user_id: int, erasure_id: str, pins: bool) -> dict[str, int]:
    counts = {}
    with memsql.transaction(connection):
        counts["quarantine"] = memsql.execute(connection, "erase/quarantine", {"erasure_id": erasure_id})
        makers = "erase/pins" if pins else "erase/pin_makers"
        counts["pin_cache"] = memsql.execute(connection, makers, {"user_id": user_id})
        for table in ("person_homes", "expired_logins"):
            counts[table] = memsql.execute(connection, "erase/person", {"user_id": user_id}, table=table)
    return counts


@retry(
    retry=retry_if_exception_type(SupersededError),
    stop=stop_after_attempt(TRIES),
    wait=wait_random_exponential(max=1),
    reraise=True,
)
def _forget_number(connection: Connection, user_id: int) -> bool:
    return memsql.retry_conflicts(lambda: people.forget(connection, user_id))


def _replace_texts(connection: Connection, mention: Mention) -> dict[str, int]:
    """Take the mentions out of the texts of all tables, also those of later versions; the feed reaches the events'."""
    counts = defaultdict[str, int](int)
    for table, column in list(text_columns(connection)):
        replace = partial(_replace_in, connection, mention.in_column(column), table, column)
        counts[f"{table} (quotes)"] += memsql.retry_conflicts(replace)
    return counts


def _replace_in(connection: Connection, mention: Mention, table: str, column: str) -> int:
    count, named = 0, {"table": table, "column": column}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "erase/texts", {"digits": f"%{mention.digits}%"}, **named)
        for text in (row["found"] for row in rows if mention.in_text(row["found"])):
            changed = {"old_text": text, "new_text": mention.without(text)}
            count += memsql.execute(connection, "erase/replace", changed, **named)
    return count


def text_columns(connection: Connection) -> Iterator[tuple[str, str]]:
    """Table and column of every text but the events'."""
    for row in memsql.fetch(connection, "erase/columns"):
        if row["data_type"].lower() in TEXT_TYPES and row["table_name"] not in TABLES:
            yield row["table_name"], row["column_name"]
    connection.commit()
