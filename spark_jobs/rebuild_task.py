"""The Spark task of a rebuild: prepares, judges and loads one part; returns only its number of rows."""

from collections.abc import Callable
from functools import cache

import pyarrow as pa
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pinwheel.clients import memsql
from pinwheel.core.errors import MergeError
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import rebuild
from pinwheel.merge.gate import Gate
from pinwheel.merge.ledger import SupersededError
from pinwheel.merge.rebuild import Rebuild

LOADED = "part int, rows long"  # a task returns one row per part
ATTEMPTS = 6  # of a part; each attempt sees what faster parts have loaded
Load = Callable[[tuple[pa.Scalar, ...], pa.Table], pa.Table]


def loader(settings: MergeSettings, found: Rebuild) -> Load:
    """The task as a function for ``applyInArrow``: loads one part."""

    def load_(key: tuple[pa.Scalar, ...], rows: pa.Table) -> pa.Table:
        part = key[0].as_py()
        return pa.table({"part": pa.array([part], pa.int32()), "rows": [_load(settings, found, part, rows)]})

    return load_


def _load(settings: MergeSettings, found: Rebuild, part: int, rows: pa.Table) -> int:
    """Load a part. A delivery of the same event in another part that was faster is seen by the next attempt."""
    again = Retrying(
        retry=retry_if_exception(_was_overtaken),
        wait=wait_random_exponential(max=10),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    with memsql.connect(settings, local_infile=True) as connection:
        try:
            return again(
                rebuild.load_part, found, part, rows.to_batches(), connection, _gate(settings.quarantine_max_share)
            )
        except SupersededError:  # a task that Spark ran twice
            return 0


def _was_overtaken(error: BaseException) -> bool:
    return isinstance(error, MergeError) and not isinstance(error, SupersededError)


@cache  # one per Python worker: building it takes seconds
def _gate(max_share: float) -> Gate:
    return Gate(max_share)
