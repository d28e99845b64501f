"""The scan: where a person's id is, in everything that Pinwheel keeps. Before an erasure it counts, after it proves.

Shares no code with what erases: own rules for what counts as a mention, own way to each store. It decodes Parquet,
Delta's log and checkpoints, and the bytes in the database's tables.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler

NUMBER = re.compile(rb"\d+(?:\.\d+)*")
ESCAPE = re.compile(rb"\\u00([0-9A-Fa-f]{2})")
FIELD = re.compile(rb"(?:user|creator)_id(?:[^\n\[]{0,100}observed \[)?[^A-Za-z\n]{0,300}$")
NULL_COUNTS = re.compile(rb"nullCount\W{2,6}\{[^{}]*\}")  # of a file, in Delta's log: numbers after fields, but no ids
NO_SIGN = re.compile(rb"\d\.?$")  # before a minus: it is a hyphen, as in a date
NEAR = 420  # bytes before a number in which its field is looked for
SHORT = 6  # digits: a shorter number is an id only after its field
PEOPLE = ("user_id", "pin_creator_id", "creator_id")  # columns that have people's ids, in the lake and in all tables
OTHER_IDS = ("event_id",)  # texts that are numbers of something else
OF_FIELD = (  # texts with numbers of pins, offsets and counts, and keys: an id is one after a person's field
    *("link", "image_url", "item"),
    *("progress", "counts", "differences", "lost_offsets", "kafka_log", "judged_anew"),
    *("changes", "numbers", "digest", "folder", "erasure_id", "person_hash"),
)
REPORTS = "reports"  # files with numbers like these


@dataclass
class Found:
    """The finds of a scan, and how much it looked at, each by store."""

    finds: Counter[str] = field(default_factory=Counter)
    looked_at: Counter[str] = field(default_factory=Counter)

    def note(self, store: str, finds: int, looked_at: int = 1) -> None:
        """Count what was found in some more of a store."""
        self.looked_at[store] += looked_at
        if finds:
            self.finds[store] += finds


class Id:
    """Tells whether bytes mention an id."""

    def __init__(self, user_id: int) -> None:
        self.value = user_id
        self.digits = str(abs(user_id)).encode()
        self._sign = b"-" if user_id < 0 else b""
        self.like = f"%r\\_id%{user_id}%" if len(self.digits) < SHORT else f"%{user_id}%"  # user_id, creator_id

    def mentions(self, data: bytes | str | None, *, of_field: bool = False) -> int:
        """How often; ``of_field``: only after a person's field, as in a log where sizes and times are numbers too."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data or b"")
        if b"\0" in raw:
            raw = raw.replace(b"\0", b"")
        if b"\\u00" in raw:
            raw = ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), raw)
        if self.digits not in raw:
            return 0
        return sum(self._is_it(raw, match, of_field) for match in NUMBER.finditer(raw) if match[0] == self.digits)

    def _is_it(self, raw: bytes, match: re.Match[bytes], of_field: bool) -> bool:
        start = match.start()
        if self._sign and (raw[start - 1 : start] != self._sign or NO_SIGN.search(raw[max(0, start - 3) : start - 1])):
            return False
        if len(self.digits) >= SHORT and not of_field:
            return True
        return FIELD.search(raw[max(0, start - NEAR) : start]) is not None


def scan_lake(lake_uri: str, person: Id, found: Found) -> None:
    """Every file under the lake's folder, whether a version names it or not."""
    filesystem = pafs.PyFileSystem(DeltaStorageHandler(lake_uri))
    infos = filesystem.get_file_info(pafs.FileSelector("", allow_not_found=True, recursive=True))
    for info in infos:
        if info.type == pafs.FileType.File:
            with suppress(FileNotFoundError):  # removed meanwhile: entries of the log are, all the time
                found.note(*_in_file(filesystem, info.path, person))


def _in_file(filesystem: pafs.FileSystem, path: str, person: Id) -> tuple[str, int, int]:
    """The store, what was found and what was looked at."""
    if "/_delta_log/" in path:
        return "lake log", _in_log(filesystem, path, person), 1
    if path.endswith(".parquet"):
        return "lake changes" if "/_change_data/" in path else "lake rows", *_in_rows(filesystem, path, person)
    return "lake other files", person.mentions(_content(filesystem, path)), 1


def _content(filesystem: pafs.FileSystem, path: str) -> bytes:
    with filesystem.open_input_stream(path, compression=None) as stream:
        return bytes(stream.read())


def _in_log(filesystem: pafs.FileSystem, path: str, person: Id) -> int:
    if not path.endswith(".parquet"):
        entries = [_content(filesystem, path)]
    else:
        rows = pq.read_table(filesystem.open_input_file(path)).to_pylist()
        entries = [json.dumps(row, default=str).encode() for row in rows]
    return sum(person.mentions(NULL_COUNTS.sub(b"", entry), of_field=True) for entry in entries)


def _in_rows(filesystem: pafs.FileSystem, path: str, person: Id) -> tuple[int, int]:
    """How often the id is in a row, by value or in a text, and all rows. Texts are dictionaries: many repeat."""
    source = filesystem.open_input_file(path)
    schema = pq.ParquetFile(source).schema_arrow
    texts = [f.name for f in schema if _is_text(f.type) and f.name not in OTHER_IDS]
    people = [name for name in PEOPLE if name in schema.names]
    file = pq.ParquetFile(source, read_dictionary=texts)
    finds = 0
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group, [*texts, *people])
        finds += sum(_true(pc.equal(rows[name], pa.scalar(person.value, pa.int64()))) for name in people)
        finds += sum(_mentioning(chunk, person, name in OF_FIELD) for name in texts for chunk in rows[name].chunks)
    return finds, file.metadata.num_rows


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.binary())


def _true(flags: Any) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _mentioning(chunk: pa.Array, person: Id, of_field: bool) -> int:
    """Rows of a column of texts or bytes that mention the id."""
    values = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
    if pa.types.is_string(values.type) and not _true(pc.match_substring(values, person.digits.decode())):
        return 0  # a hundred times as fast as looking at each in Python; bytes may be escaped, and are few
    hits = pa.array([person.mentions(value, of_field=of_field) > 0 for value in values.to_pylist()], pa.bool_())
    return _true(hits.take(chunk.indices) if pa.types.is_dictionary(chunk.type) else hits)


def scan_files(folders: Iterable[tuple[str, Path]], person: Id, found: Found) -> None:
    """Every byte of every file in these folders."""
    for name, folder in folders:
        for path in _below(folder):
            with suppress(FileNotFoundError):  # rotated or removed meanwhile
                found.note(name, person.mentions(path.read_bytes(), of_field=name == REPORTS))


def scan_store(name: str, uri: str, person: Id, found: Found) -> None:
    """Every byte of every file in a bucket's folder."""
    filesystem = pafs.PyFileSystem(DeltaStorageHandler(uri))
    for info in filesystem.get_file_info(pafs.FileSelector("", allow_not_found=True, recursive=True)):
        if info.type == pafs.FileType.File:
            with suppress(FileNotFoundError):
                found.note(name, person.mentions(_content(filesystem, info.path), of_field=name == REPORTS))


def _below(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names if Path(parent, name).is_file())


def mentions_in(value: Any, person: Id) -> int:
    """Mentions in a value of a database: a text, bytes, or JSON that is decoded already."""
    if isinstance(value, bytes | str):
        return person.mentions(value)
    return person.mentions(json.dumps(value, default=str)) if value is not None else 0
