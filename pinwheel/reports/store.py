"""The reports folder, on a disk or in an S3-compatible store. Writes are atomic: a file is whole or does not exist."""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler

from pinwheel.core.errors import MissingPartError, ReportError


class Store:
    """Files by their path in the folder; a store is configured by ``AWS_*``, as for the lake."""

    def __init__(self, uri: str, writers: int = 1) -> None:
        self._uri = uri
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True)
        self._filesystem = pafs.PyFileSystem(DeltaStorageHandler(uri))
        self._pool = ThreadPoolExecutor(writers, "reports")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def write(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files, replacing existing ones; in parallel, because a store is slow per file."""
        list(self._pool.map(lambda name: self._write(f"{folder}/{name}", files[name]), files))

    def _write(self, path: str, content: bytes) -> None:
        # The buffer holds the whole file: delta-rs' streams reject the writes of an unbuffered Arrow stream.
        with self._filesystem.open_output_stream(path, compression=None, buffer_size=len(content) + 1) as stream:
            stream.write(content)

    def delete(self, folder: str) -> None:
        """Delete a folder with its files. Idempotent."""
        if "://" not in self._uri:
            shutil.rmtree(Path(self._uri, folder), ignore_errors=True)
            return
        with suppress(FileNotFoundError):  # a store has no folders, so an empty one is not there
            self._filesystem.delete_dir(folder)

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            MissingPartError: the file does not exist.
            ReportError: the folder can't be read.
        """
        try:
            with self._filesystem.open_input_stream(path, compression=None) as stream:
                return bytes(stream.read())
        except FileNotFoundError as error:
            raise MissingPartError(
                f"there is no {path} in the reports folder (PINWHEEL_REPORTS_URI={self._uri}); "
                "delete its row in brand_reports, then trigger report_brands for that period"
            ) from error
        except OSError as error:
            raise ReportError(
                f"the reports folder (PINWHEEL_REPORTS_URI={self._uri}) can't be read: {error}"
            ) from error
