"""Airflow's assets of the datasets, and the watcher that makes asset events of slices as they are merged.

Your own Dags take them from here: ``schedule=[asset(TABLES["repins"])]``. Why a watcher: ADR 0017.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from pinwheel.core.datasets import TABLES, Dataset

log = logging.getLogger(__name__)

SHARDS = int(os.environ.get("PINWHEEL_MERGE_SHARDS", "1"))  # as the setting; reading settings costs each parse 0.07 s
POLL_SECONDS = 10.0  # an announcement comes once a minute


def asset(dataset: Dataset) -> Asset:
    """The asset of a dataset; that of a reporting table has a watcher."""
    if dataset not in TABLES.values():
        return Asset(*dataset)
    watcher = AssetWatcher(name=f"{dataset.name}_merged", trigger=MergedTrigger(dataset.name, SHARDS))
    return Asset(*dataset, watchers=[watcher])


def merged_key(shard: int) -> str:
    """Where a shard's merge announces what it has merged, in the state store of its table's asset."""
    return f"merged_{shard}"


class MergedTrigger(BaseEventTrigger):
    """Fires when a merge has announced more in the state store of its asset.

    Airflow runs it while a Dag that is not paused is scheduled on the asset. The announcement that it fired for is kept
    in the store as well, so that a triggerer that starts again neither loses one nor repeats it.
    """

    def __init__(self, name: str, shards: int = 1, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow has no types here
        self.name, self.shards, self.poll_seconds = name, shards, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments; the name makes it another trigger for each asset."""
        arguments = {"name": self.name, "shards": self.shards, "poll_seconds": self.poll_seconds}
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire for ever."""
        fired: dict[str, Any] = {}
        while True:
            for key in map(merged_key, range(self.shards)):
                if (merged := await self._news(key, fired.get(key))) is not None:
                    yield TriggerEvent(merged)  # type: ignore[no-untyped-call]  # as above
                    fired[key] = merged
            await asyncio.sleep(self.poll_seconds)  # Airflow stores an event a second or two after it was given
            for key in list(fired):  # if it dies before this, it fires once more
                if await self._noted(key, fired[key]):
                    del fired[key]

    async def _news(self, key: str, fired: Any) -> Any:
        """An announcement that it has not fired for; None: there is none, or Airflow's API does not answer."""
        assert self.asset_state_store is not None, "Airflow sets it before it runs a watcher"  # noqa: S101
        try:
            merged = await self.asset_state_store.aget(key)
            return merged if merged not in (fired, await self.asset_state_store.aget(f"{key}_fired")) else None
        except Exception as error:  # any error: it asks again
            log.warning("asset=%s can't be looked at: %s", self.name, error)
            return None

    async def _noted(self, key: str, merged: Any) -> bool:
        assert self.asset_state_store is not None  # noqa: S101 - see above
        try:
            await self.asset_state_store.aset(f"{key}_fired", merged)
        except Exception as error:  # it tries again
            log.warning("asset=%s not noted that it fired: %s", self.name, error)
            return False
        return True
