"""Which users of Airflow see only some brands: the table that the pages take it from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pinwheel.clients.memsql import Connection, connect, execute, fetch, transaction
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MemsqlSettings, load
from pinwheel.core.times import naive
from pinwheel.core.words import brand_title
from pinwheel.reports.run import numbers_in


def bind_by_form(form: Mapping[str, Any], by: str) -> str:
    """Bind a user as the Dag's form says; see ``bind``."""
    ids = numbers_in(form["brand_ids"])
    with connect(load(MemsqlSettings)) as connection, transaction(connection):
        return bind(connection, str(form["user"]), ids, str(form["reason"]), by, naive(datetime.now(UTC)))


def bind(connection: Connection, user: str, brand_ids: Sequence[int], reason: str, by: str, now: datetime) -> str:
    """Let a user see these brands and nothing else; without brands, end that. Returns what was done. Does not commit.

    Dying before the commit: nothing has changed. Twice: the second run writes the same rows.

    Args:
        connection: of the merge's user.
        user: as Airflow's auth manager names them.
        brand_ids: all of them, also those that the user is bound to already.
        reason: for whoever asks later.
        by: the person who binds them.
        now: naive UTC.

    Raises:
        PinwheelError: no user, no reason, the user is ``by``, a brand is unknown, or nothing to end.
    """
    name, why = user.strip(), reason.strip()
    _require(name, why, by)
    names = _names(connection, brand_ids)
    ended = execute(connection, "operate/unbind_user", {"user_name": name})
    for brand_id in names:
        row = {"user_name": name, "brand_id": brand_id, "reason": why, "bound_by": by, "now": now}
        execute(connection, "operate/bind_user", row)
    if names:
        return f"{name} sees {', '.join(names.values())}, and nothing else"
    if not ended:
        raise PinwheelError(f"{name} is bound to no brand: there is nothing to end")
    return f"{name} is bound to no brand any more, and sees what their role in Airflow allows"


def _require(user: str, reason: str, by: str) -> None:
    if not user:
        raise PinwheelError("user: it is empty; give the name that they sign in to Airflow with")
    if user == by:
        raise PinwheelError(f"user: {user} is you, and would lose Airflow; ask another operator")
    if not reason:
        raise PinwheelError("reason: it is empty; say why, for whoever asks later")


def _names(connection: Connection, brand_ids: Sequence[int]) -> dict[int, str]:
    """The names of brands that all must be known."""
    if not brand_ids:
        return {}
    rows = fetch(connection, "operate/known_brands", {"brand_ids": tuple(brand_ids)})
    names = {row["brand_id"]: brand_title(row["brand_id"], row["name"]) for row in rows}
    if unknown := [str(brand_id) for brand_id in brand_ids if brand_id not in names]:
        raise PinwheelError(f"brand_ids: there is no brand {', '.join(unknown)}; the page Brand today lists all")
    return names
