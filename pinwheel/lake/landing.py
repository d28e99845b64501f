"""Lands a micro-batch in the lake with one commit (ADR 0001).

Each commit sets one Delta transaction identifier per Kafka partition to the next offset to land. The lake's progress
is therefore in the lake itself: it survives a deleted checkpoint, log clean-up and two drivers at once.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from deltalake import CommitProperties, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from pinwheel.core.contract import LAKE_PARTITIONS
from pinwheel.core.errors import FencedError, LakeError
from pinwheel.lake import events_table
from pinwheel.lake.events_table import METADATA_KEY, Span, app_id
from pinwheel.lake.files import File, Manifest

logger = logging.getLogger(__name__)

COMMIT_TRIES = 20  # a retry takes milliseconds; maintenance commits once in some seconds


class Landing:
    """The one writer of ``events``: appends files and advances the offsets in one Delta commit.

    Two drivers at once: both set the same transaction identifiers, so Delta accepts only the first commit and the
    second driver gets a FencedError. A driver that dies before the commit leaves files that no version names (VACUUM
    removes them); one that dies after it reads the advanced offsets when it starts again.
    """

    def __init__(self, events_uri: str, log: str) -> None:
        """``log``: which log the offsets are of; see ``pinwheel.lake.source_log``."""
        self.uri = events_uri
        self.log = log
        self._table = events_table.opened(events_uri)

    @property
    def version(self) -> int:
        """The newest version of ``events`` that this writer has seen."""
        return int(self._table.version())

    def landed(self, partition: int) -> int | None:
        """The next offset to land of a Kafka partition; None when it never landed anything."""
        offset: int | None = self._table.transaction_version(app_id(self.log, partition))
        return offset

    def commit(self, manifest: Manifest, behind: int = 0) -> None:
        """Append the manifest's files, if any; a second call with the same offsets raises FencedError.

        Args:
            manifest: the files of a micro-batch, and its offsets.
            behind: how many records wait in Kafka after it.

        Raises:
            FencedError: some of these offsets are in the lake already: another writer landed them.
            LakeError: every one of ``COMMIT_TRIES`` tries lost to another writer's commit.
        """
        events_table.refresh(self._table)  # after a quiet hour, its version may no longer be in the log
        for _ in range(COMMIT_TRIES):
            self._refuse_landed(manifest)
            try:
                self._append(manifest, {"behind": behind} if behind else {})
            except CommitFailedError as error:  # also when maintenance has rewritten rows; then the retry succeeds
                logger.info("commit conflict version=%d error=%s", self.version, error)
                events_table.refresh(self._table)
            else:
                events_table.refresh(self._table)
                return
        raise LakeError(f"{self.uri}: {COMMIT_TRIES} commits in a row lost to another writer; see what writes to it")

    def go_on_at(self, offsets: Mapping[int, int], gap: Mapping[str, Any] | None = None) -> None:
        """Land from these offsets on, whatever was landed before, in one commit without rows.

        Dying before it changes nothing. Twice: a second commit of the same.

        Args:
            offsets: the next one to land, by Kafka partition.
            gap: what is left out, why, and who wants it so; None: nothing is.
        """
        spans = {p: Span(offset, offset, None) for p, offset in offsets.items()}
        self._append(Manifest([], spans), {"gap": gap} if gap else {})
        events_table.refresh(self._table)

    def _refuse_landed(self, manifest: Manifest) -> None:
        for partition, span in manifest.spans.items():
            landed = self.landed(partition)
            if landed is not None and span.start < landed:
                raise FencedError(
                    f"{app_id(self.log, partition)}: this batch starts at offset {span.start}, but the lake already "
                    f"holds all offsets before {landed}: another driver is landing, so this one stops"
                )

    def _append(self, manifest: Manifest, more: Mapping[str, Any] | None = None) -> None:
        self._table.create_write_transaction(
            [_add_action(file) for file in manifest.files],
            "append",
            self._table.schema(),
            partition_by=list(LAKE_PARTITIONS),
            commit_properties=self._properties(manifest, more or {}),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )

    def _properties(self, manifest: Manifest, more: Mapping[str, Any]) -> CommitProperties:
        spans = {p: (s.start, s.end, s.timestamp and s.timestamp.isoformat()) for p, s in manifest.spans.items()}
        return CommitProperties(
            custom_metadata={METADATA_KEY: json.dumps({"rows": manifest.rows, "spans": spans, **more})},
            app_transactions=[Transaction(app_id(self.log, p), s.end) for p, s in manifest.spans.items()],
        )


def _add_action(file: File) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values=file.partition,
        modification_time=file.modified_at_ms,
        data_change=True,
        stats=file.stats,
    )
