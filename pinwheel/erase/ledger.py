"""The table ``erasures``: how far each erasure is, without saying whom it is about; and the erased records."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.errors import EraseError
from pinwheel.core.mentions import Mention, person_hash
from pinwheel.lake.erasure import Place, total
from pinwheel.lake.stretches import Stretch, log_of


class Step(StrEnum):
    """The next step, in this order; a proof that finds something goes back to ``LAKE``."""

    LIST = "list"  # keep redelivered events out
    LAKE = "lake"  # rows
    MERGE = "merge"  # wait until tables and rollups have passed the lake's version
    DATABASE = "database"  # what the change feed does not reach
    FILES = "files"  # the lake's old files, and its log
    TRACES = "traces"  # logs, pages, Airflow's database
    PROOF = "proof"
    DONE = "done"


@dataclass(frozen=True)
class Request:
    """A wish to erase. ``pins``: the texts of the pins that the person made go too."""

    user_id: int
    reason: str
    requested_by: str
    approved_by: str
    pins: bool = False

    def check(self, *, alone: bool) -> None:
        """Refuse a request that nobody may act on.

        Raises:
            EraseError: says what is wrong, without the id.
        """
        if not self.reason.strip() or not self.requested_by.strip():
            raise EraseError("an erasure needs a reason, and the person who asks for it")
        if self.user_id == 0:
            raise EraseError("0 is nobody's id: it stands where erased ones were")
        mention = Mention(self.user_id)
        if any(mention.in_text(text) for text in (self.reason, self.requested_by, self.approved_by)):
            raise EraseError("the reason is kept in the receipt, so it must not have the id in it")
        names = [name.strip().casefold() for name in (self.requested_by, self.approved_by)]
        if not names[1]:
            raise EraseError("an erasure can't be undone, so somebody must approve it")
        if names[0] == names[1] and not alone:
            raise EraseError(
                "the person who asked can't approve: another one must, or PINWHEEL_ERASURE_ALONE=true says that "
                "one person decides alone"
            )


def id_in(form: Mapping[str, Any]) -> int:
    """The user id that a Dag run's form has.

    Raises:
        EraseError: it has none; the form is emptied near the end of an erasure.
    """
    if not form["user_id"]:
        raise EraseError("the form has no user id, or no longer: trigger the Dag again, with the id, to go on")
    return int(form["user_id"])


def asked_by_form(form: Mapping[str, Any], by: str | None, approver: Mapping[str, Any] | None) -> Request:
    """The request of a Dag run: its form's values, who triggered it, and who answered. See ``id_in``."""
    approved_by = (approver or {}).get("name") or ""
    return Request(id_in(form), form["reason"] or "", by or "", approved_by, form["erase_pins"])


@dataclass(frozen=True)
class Erasure:
    """How far an erasure is.

    ``version``: of the lake, without the person. ``slice_id``: the newest merged one when all tables had passed it.
    """

    erasure_id: str
    pins: bool
    step: Step
    version: int | None = None
    slice_id: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def begin(connection: Connection, request: Request, key: SecretStr) -> Erasure:
    """The person's erasure that was not finished, or a new one. Dying after it leaves one that the next run finds."""
    hashed = person_hash(key, request.user_id)
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "erase/unfinished", {"person_hash": hashed})
        if rows:
            return _erasure(rows[0])
        erasure = Erasure(str(uuid4()), request.pins, Step.LIST)
        asked = {"reason": request.reason, "requested_by": request.requested_by, "approved_by": request.approved_by}
        named = {"erasure_id": erasure.erasure_id, "person_hash": hashed, "erase_pins": int(request.pins)}
        memsql.execute(connection, "erase/begin", {**asked, **named, "step": erasure.step.value, "counts": "{}"})
    return erasure


def _erasure(row: Row) -> Erasure:
    counts = json.loads(row["counts"])
    pins, step = bool(row["erase_pins"]), Step(row["step"])
    return Erasure(row["erasure_id"], pins, step, row["version"], row["slice_id"], counts)


def move(connection: Connection, erasure: Erasure, step: Step, counts: Mapping[str, int]) -> Erasure:
    """Note that a step is done, and what it erased. Dying before it repeats the step, which changes nothing."""
    moved = replace(erasure, step=step, counts=total([erasure.counts, counts]))
    named = {"erasure_id": moved.erasure_id, "version": moved.version, "slice_id": moved.slice_id}
    with memsql.transaction(connection):
        memsql.execute(connection, "erase/move", {**named, "step": step.value, "counts": json.dumps(moved.counts)})
    return moved


def finish(connection: Connection, erasure: Erasure, receipt: Mapping[str, Any]) -> None:
    """Keep the receipt. Dying before it repeats the proof."""
    with memsql.transaction(connection):
        named = {"erasure_id": erasure.erasure_id, "receipt": json.dumps(receipt, ensure_ascii=False)}
        memsql.execute(connection, "erase/finish", named)


def row(connection: Connection, erasure_id: str) -> Row:
    """Everything that is kept of an erasure.

    Raises:
        EraseError: there is none of that id.
    """
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "erase/erasure", {"erasure_id": erasure_id})
        records = memsql.fetch(connection, "erase/records", {"erasure_id": erasure_id})
    if not rows:
        raise EraseError(f"there is no erasure {erasure_id}; the table erasures has them all")
    erased = {f"lake {r['event_type']}": r["records"] for r in records} | json.loads(rows[0]["counts"])
    return rows[0] | {"erased": erased}


def erased_ids(connection: Connection, erasure: Erasure) -> dict[str, list[str]]:
    """The events of which a delivery was erased, by event type."""
    found = defaultdict(list)
    with memsql.transaction(connection):
        for row in memsql.fetch(connection, "erase/erased_ids", {"erasure_id": erasure.erasure_id}):
            found[row["event_type"]].append(row["event_id"])
    return found


def note_records(connection: Connection, erasure: Erasure, kept: Sequence[Stretch], places: Iterable[Place]) -> None:
    """Say which records' rows go, before they do: a missing offset is never unexplained. Idempotent."""
    rows = []
    for place in places:
        of_place = {"event_type": place.event_type, "event_date": place.event_date, "erasure_id": erasure.erasure_id}
        for record in place.erased:
            at = record.pop("kafka_timestamp")
            log = log_of(kept, record["kafka_partition"], record["kafka_offset"], at)
            rows.append({"kafka_log": log, **record, **of_place})
    with memsql.transaction(connection):
        memsql.execute_many(connection, "erase/note_record", rows)
