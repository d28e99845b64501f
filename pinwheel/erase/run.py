"""Erases a person, step by step, and proves it. A run that was killed is gone on with by the next.

Each step finds for itself what is left to do, so it may die anywhere and be repeated. Rows that landed while the
stream had not seen the list yet are found by the proof, and erased in another round.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import EraseError, LakeError
from pinwheel.core.mentions import Mention
from pinwheel.core.settings import EraseSettings
from pinwheel.erase import database, ledger, passing, receipt, scan, scan_database, traces
from pinwheel.erase.ledger import Request, Step
from pinwheel.erase.outside import outside
from pinwheel.erase.passing import Wait
from pinwheel.erase.scan import Found, Id
from pinwheel.lake import erased_people, erasure, events_table, old_files, stretches
from pinwheel.operate.airflow_cleanup import DATABASE_URL

log = logging.getLogger(__name__)

ROUNDS = 3  # the second takes what was in flight during the first
OPEN_FILE_SECONDS = 5.0  # between two looks whether a file was committed
SEEN_SECONDS = 2 * erased_people.LISTED_SECONDS  # then the stream's workers know the list


def look(settings: EraseSettings, user_id: int) -> Found:
    """Where the id is, by store, in everything that an erasure reaches. Writes nothing."""
    person, found = Id(user_id), Found()
    scan.scan_lake(settings.lake_uri, person, found)
    with memsql.connect(settings) as connection:
        scan_database.scan(connection, person, found)
    scan.scan_files(traces.folders(settings).items(), person, found)
    if "://" in settings.reports_uri:
        scan.scan_store("reports", settings.reports_uri, person, found)
    scan_database.scan_airflow(os.environ.get(DATABASE_URL), person, found)
    return found


def erase(settings: EraseSettings, request: Request, wait: Wait = time.sleep) -> dict[str, Any]:
    """Erase a person; returns the receipt. Goes on with an erasure of theirs that was not finished.

    Raises:
        EraseError: nobody may, a reader of the lake does not get on, or something brings the person back.
    """
    request.check(alone=settings.erasure_alone)
    with memsql.connect(settings) as connection:
        return Eraser(settings, request, connection, wait).run()


class Eraser:
    """One run of an erasure."""

    def __init__(self, settings: EraseSettings, request: Request, connection: Connection, wait: Wait) -> None:
        self.settings, self._request, self._connection, self._wait = settings, request, connection, wait
        self._mention = Mention(request.user_id)
        if not settings.erasure_key.get_secret_value():
            raise EraseError("PINWHEEL_ERASURE_KEY is not set: erased people are listed under a hash with this key")
        self.erasure = ledger.begin(connection, request, settings.erasure_key)

    def run(self) -> dict[str, Any]:
        """All steps that are left."""
        steps = {
            Step.LIST: self._list,
            Step.LAKE: self._lake,
            Step.MERGE: self._merge,
            Step.DATABASE: self._database,
            Step.FILES: self._files,
            Step.TRACES: self._traces,
        }
        order = list(Step)
        for _ in range(ROUNDS):
            while self.erasure.step != Step.PROOF:
                step = self.erasure.step
                found = steps[step]()
                self._move(order[order.index(step) + 1], found)
            found_again = look(self.settings, self._request.user_id)
            if not found_again.finds:
                return self._finish(found_again)
            log.warning("erasure=%s found again stores=%s", self.erasure.erasure_id, dict(found_again.finds))
            self._move(Step.LAKE, {})
        raise EraseError(
            f"after {ROUNDS} rounds the id is still in {', '.join(found_again.finds)}; what writes it there?"
        )

    def _move(self, step: Step, counts: Mapping[str, int]) -> None:
        self.erasure = ledger.move(self._connection, self.erasure, step, counts)
        log.info("erasure=%s next=%s counts=%s", self.erasure.erasure_id, step, erasure.total([counts]))

    def _list(self) -> Mapping[str, int]:
        key, pins = self.settings.erasure_key, self.erasure.pins
        erased_people.add(self.settings.lake_uri, key, self._request.user_id, pins=pins)
        self._wait(SEEN_SECONDS)
        return {}

    def _lake(self) -> Mapping[str, int]:
        """Erase all rows that there are now; the version is the first that has none of them."""
        uri = self.settings.events_uri
        events = events_table.open_table(uri)
        if events is None:
            raise EraseError(f"there is no lake at {uri}")
        kept = stretches.stretches(events, self.settings.topic)
        counts = []
        for place in erasure.find(events, self._mention):
            ledger.note_records(self._connection, self.erasure, kept, [place])
            erasure.erase(uri, place, pins=self.erasure.pins)
            counts.append(place.counts)
        erasure.send_others_again(uri, ledger.erased_ids(self._connection, self.erasure))
        self.erasure = replace(self.erasure, version=old_files.checkpoint(uri))
        return erasure.total(counts)

    def _merge(self) -> Mapping[str, int]:
        seconds = self.settings.erasure_wait_seconds
        slice_id = passing.wait_for_merges(self._connection, self._version, seconds, self._wait)
        self.erasure = replace(self.erasure, slice_id=slice_id)
        return {}

    def _database(self) -> Mapping[str, int]:
        erasure_id = self.erasure.erasure_id
        return database.erase(self._connection, self._mention, erasure_id, pins=self.erasure.pins)

    def _files(self) -> Mapping[str, int]:
        removed = self._remove_files()
        shortened = old_files.shorten_log(self.settings.events_uri, self._version)
        return {"lake old files": removed, "lake log entries": shortened}

    def _remove_files(self) -> int:
        """Batches and rewrites that are under way end within seconds, mostly."""
        ends = time.monotonic() + self.settings.erasure_wait_seconds
        while True:
            try:
                return old_files.remove(self.settings.events_uri, self._version, self._mention, self.settings.topic)
            except LakeError:
                if time.monotonic() > ends:
                    raise
            self._wait(OPEN_FILE_SECONDS)

    def _traces(self) -> Mapping[str, int]:
        """Last, as a form's values are among them: without them, a task that dies later can't be tried again."""
        return traces.erase_files(self.settings, self._mention) | traces.erase_airflow(self._mention)

    @property
    def _version(self) -> int:
        assert self.erasure.version is not None, "the step before has noted it"  # noqa: S101
        return self.erasure.version

    def _finish(self, found: Found) -> dict[str, Any]:
        row = ledger.row(self._connection, self.erasure.erasure_id)
        made = receipt.make(row, found, self._remarks(), outside(self.settings))
        ledger.finish(self._connection, self.erasure, made)
        log.info("erased erasure=%s began=%s", self.erasure.erasure_id, made["began_utc"])
        return made

    def _remarks(self) -> list[str]:
        """For readers of ``erased_records``: an older version did not note up to when a log was landed."""
        kept = stretches.stretches(events_table.opened(self.settings.events_uri), self.settings.topic)
        if all(stretch.newest is not None for stretch in kept[:-1]):
            return []
        logs = len({stretch.log for stretch in kept})
        return [f"the lake has records of {logs} logs of Kafka; erased_records may name the current one for older ones"]


def receipt_of(settings: EraseSettings, erasure_id: str) -> dict[str, Any]:
    """The receipt of an erasure that is done.

    Raises:
        EraseError: there is none, or it is not done.
    """
    with memsql.connect(settings) as connection:
        row = ledger.row(connection, erasure_id)
    if row["receipt"] is None:
        raise EraseError(f"erasure {erasure_id} is not done: run it again with the same person")
    return dict(json.loads(row["receipt"]))
