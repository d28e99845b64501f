"""The reports folder in the store: the same as on a disk, and failures when the store is down."""

import pytest

from pinwheel.core.errors import MissingPartError, ReportError
from pinwheel.reports.store import Store
from tests.support.ports import free_port


def test_files_are_written_over_and_read(bucket: str) -> None:
    with Store(f"{bucket}/reports", 4) as store:
        for content in (b"first", b"x" * 12_000_000, b""):
            store.write("1/2026-03-14-1d/r1", {"report.html": content, "totals.csv": b"a"})
            assert store.read("1/2026-03-14-1d/r1/report.html") == content
        with pytest.raises(MissingPartError, match=r"there is no 1/nothing\.html"):
            store.read("1/nothing.html")
        store.write("1/2026-03-14-1d/r2", {"report.html": b"other"})
        for _ in range(2):
            store.delete("1/2026-03-14-1d/r1")
        with pytest.raises(MissingPartError):
            store.read("1/2026-03-14-1d/r1/totals.csv")
        assert store.read("1/2026-03-14-1d/r2/report.html") == b"other"


def test_a_store_that_is_away_is_not_a_file_that_is_missing(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_RETRIES", "0")
    with Store(f"{bucket}/reports") as store, pytest.raises(ReportError, match="can't be read"):
        store.read("1/2026-03-14-1d/r1/report.html")
