"""The store: logins, and the atomic conditional put that keeps two drivers at once safe."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from pyarrow.fs import FileSelector, S3FileSystem

from pinwheel.core.errors import MissingPartError, SettingError
from pinwheel.lake.files import Manifest
from pinwheel.lake.landing import Landing
from pinwheel.server import s3
from pinwheel.server.prepare import make_bucket
from pinwheel.server.settings import S3Settings
from tests.support.lake_rows import TOPIC, make_lake, row, write
from tests.support.store import BUCKET

WRITERS = 8
ROUNDS = 5


def test_commits_at_the_same_moment_let_one_through(bucket: str) -> None:
    """Delta's own retries are off: in each round the writers compete for the same version."""
    uri = make_lake(bucket)
    for number in range(ROUNDS):
        views = [Landing(uri, TOPIC) for _ in range(WRITERS)]
        batches = [write(uri, [row(number)]) for _ in views]
        start = threading.Barrier(WRITERS)

        def commit(view: Landing, batch: Manifest, start: threading.Barrier = start) -> str:
            start.wait()
            try:
                view._append(batch)
            except CommitFailedError:
                return "refused"
            return "landed"

        with ThreadPoolExecutor(WRITERS) as pool:
            outcomes = Counter(pool.map(commit, views, batches))
        assert outcomes == {"landed": 1, "refused": WRITERS - 1}
    offsets = DeltaTable(uri).to_pyarrow_table(columns=["kafka_offset"])["kafka_offset"].to_pylist()
    assert sorted(offsets) == list(range(ROUNDS))


def test_nothing_is_committed_to_a_store_without_conditional_puts(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With this setting delta-rs refuses; otherwise it could overwrite another writer's commit."""
    uri = make_lake(bucket)
    files = write(uri, [row(0)])
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
    with pytest.raises(OSError, match="conditional put is disabled"):
        Landing(uri, TOPIC).commit(files)


def test_nobody_else_comes_in(store: dict[str, str]) -> None:
    stranger = S3FileSystem(
        access_key=store["AWS_ACCESS_KEY_ID"],
        secret_key="guessed",
        endpoint_override=store["AWS_ENDPOINT_URL"],
        region=store["AWS_REGION"],
    )
    with pytest.raises(OSError, match=r"403|FORBIDDEN|SIGNATURE|Access"):
        stranger.get_file_info(FileSelector(BUCKET))


def test_a_bucket_that_is_there_is_left_alone(bucket: str, store: dict[str, str]) -> None:
    uri = make_lake(bucket)
    make_bucket(BUCKET, store)
    assert DeltaTable(uri).version() == 0


def test_a_store_without_a_user_does_not_start() -> None:
    with pytest.raises(SettingError, match="AWS_SECRET_ACCESS_KEY must be set"):
        s3.properties_text(S3Settings(), {"AWS_ACCESS_KEY_ID": "someone"})


def test_a_store_without_its_jars_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=f"PINWHEEL_S3_JARS_DIR={tmp_path}.*pinwheel tools --servers"):
        s3.command(S3Settings(s3_jars_dir=tmp_path), tmp_path / "s3.properties")


def test_a_store_that_is_away_is_told_with_its_bucket(store: dict[str, str]) -> None:
    gone = store | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with pytest.raises(MissingPartError, match="bucket other could not be created at AWS_ENDPOINT_URL"):
        make_bucket("other", gone)
