"""Finds a stack's secrets where they must not be: they are random, so each is its own marker."""

import base64
import gzip
import sqlite3
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import psutil

from pinwheel.local.credentials import Credentials
from pinwheel.local.processes import mark_of, marked

NO_SECRET = {"kafka_cluster"}  # an id that every client gets


class Secrets:
    """The secrets of a stack, in each form in which they could be written down."""

    def __init__(self, credentials: Credentials) -> None:
        given = {name: value for name, value in asdict(credentials).items() if name not in NO_SECRET}
        self._forms = {form: name for name, value in given.items() for form in forms(value)}
        self.names = set(given)

    def in_bytes(self, data: bytes) -> set[str]:
        """The names of the secrets that some bytes contain, also if they are compressed."""
        found = {name for form, name in self._forms.items() if form in data}
        return found | (self.in_bytes(inner) if (inner := _unpacked(data)) else set())

    def in_files(self, folder: Path) -> dict[str, set[str]]:
        """Files under a folder that contain secrets, by their path; read by grep, which takes seconds for gigabytes."""
        command = ("grep", "--recursive", "--text", "--files-with-matches", "--fixed-strings", "--file=-", ".")
        done = subprocess.run(command, input=b"\n".join(self._forms), cwd=folder, capture_output=True, check=False)
        assert done.returncode in (0, 1, 2), done.stderr  # 2: a file went meanwhile, or is a socket
        packed = [path for path in folder.rglob("*.gz") if path.is_file()]
        paths = {folder / line for line in done.stdout.decode().splitlines()} | set(packed)
        found = {str(path.relative_to(folder)): self.in_bytes(path.read_bytes()) for path in paths if path.exists()}
        return {path: names for path, names in found.items() if names}

    def in_sqlite(self, path: Path) -> dict[str, set[str]]:
        """Columns of a database that contain secrets, each value as a whole and unpacked."""
        found: dict[str, set[str]] = {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as connection:
            connection.text_factory = bytes
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for table in (name.decode() for (name,) in names):
                cursor = connection.execute(f'SELECT * FROM "{table}"')
                columns = [str(column[0]) for column in cursor.description]
                for column, value in ((c, v) for row in cursor for c, v in zip(columns, row, strict=True)):
                    if isinstance(value, bytes) and (secrets := self.in_bytes(value)):
                        found.setdefault(f"{table}.{column}", set()).update(secrets)
        return found


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, quoted for a URL, and in Base64 at each of the three places where it may begin."""
    plain = secret.encode()
    yield plain
    yield quote(secret, safe="").encode()
    yield plain.hex().encode()
    for skipped in range(3):
        encoded = base64.b64encode(b"\0" * skipped + plain)
        inner = encoded[-(-8 * skipped // 6) : len(encoded) - 4]  # without what its neighbours change
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _unpacked(data: bytes) -> bytes:
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        return zlib.decompress(data) if data[:1] == b"\x78" else b""
    except (zlib.error, EOFError, OSError):
        return b""


def commands(stack_dir: Path) -> Iterator[tuple[str, bytes]]:
    """The command line of every process of a stack, by what it is."""
    for process in marked(stack_dir):
        if (line := _read(process.pid, "cmdline")) is not None:
            yield kind_of(process, line), line


def environments(stack_dir: Path) -> Iterator[tuple[str, bytes]]:
    """The environment of every process of a stack, by what it is."""
    for process in marked(stack_dir):
        line, environment = _read(process.pid, "cmdline"), _read(process.pid, "environ")
        if line is not None and environment is not None:
            yield kind_of(process, line), environment


def kind_of(process: psutil.Process, line: bytes) -> str:
    """The program that a process belongs to; the stream's driver and its children are of none, Airflow starts them."""
    return "driver" if is_of_driver(line) else mark_of(process).rpartition(":")[2]


def is_of_driver(line: bytes) -> bool:
    return any(word in line for word in (b"spark_jobs", b"SparkSubmit", b"pyspark.daemon", b"pyspark/daemon"))


def _read(pid: int, name: str) -> bytes | None:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended
        return None


def beyond(found: Iterable[tuple[str, set[str]]], allowed: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Names with the secrets that they may not have."""
    over: dict[str, set[str]] = {}
    for name, secrets in found:
        if left := secrets - allowed.get(name, set()):
            over.setdefault(name, set()).update(left)
    return over
