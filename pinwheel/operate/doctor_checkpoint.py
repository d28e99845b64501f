"""The stream's checkpoints: whether the driver can make one, and which are broken.

Each start makes one of its own at the lake's offsets, and no other is read again (ADR 0001). So one that is behind the
lake or ahead of it is no fault, and a broken one can be set aside.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.fs as pafs

from pinwheel.core.settings import DriverSettings
from pinwheel.lake import log_files
from pinwheel.operate.finding import Finding
from pinwheel.stream import driver_lock

PART = "checkpoint"
LOGS = ("offsets", "commits")  # of a checkpoint: a file per micro-batch
SPARKS_VERSION = b"v1"  # the first line of each
ASIDE = ".set_aside"
MEANS = "nothing for the numbers: the lake alone says how far the stream is, and each start makes its own checkpoint"


@dataclass(frozen=True)
class Place:
    """The folder of all checkpoints: its storage, one folder up, and its name there."""

    files: pafs.FileSystem
    name: str


def look(settings: DriverSettings) -> Iterator[Finding]:
    """All that is wrong with the checkpoints."""
    uri = settings.checkpoint_uri.rstrip("/")
    folder, _, name = uri.replace("s3a://", "s3://").rpartition("/")
    if "://" not in uri and not Path(folder).is_dir():
        return  # the first driver makes it
    place = Place(log_files.storage(folder), name)
    if place.files.get_file_info(name).type == pafs.FileType.File:
        yield Finding(
            PART,
            f"{uri} is a file, and the stream's checkpoints need a folder of that name",
            "the driver dies at each start: nothing lands, and the numbers get old",
            f"move it to {uri}{ASIDE}",
            partial(_set_aside, settings, place, ""),
        )
    else:
        yield from _broken(settings, place)


def _broken(settings: DriverSettings, place: Place) -> Iterator[Finding]:
    runs: dict[str, list[pafs.FileInfo]] = defaultdict(list)
    for file in _files(place):
        runs[file.path.removeprefix(f"{place.name}/").partition("/")[0]].append(file)
    driver = driver_lock.running(settings.driver_lock_path)
    newest = max(runs, key=lambda run: max(file.mtime_ns or 0 for file in runs[run]), default=None)
    for run, files in sorted(runs.items()):
        for wrong in _wrong_files(place, files):
            if driver and run == newest:
                do = f"restart the driver, process {driver.pid}, with control_stream; then set this one aside"
                yield Finding(PART, wrong, "its driver may end at a next batch; the next one goes on from the lake", do)
            else:
                do = f"move {run} to {settings.checkpoint_uri}{ASIDE}"
                yield Finding(PART, wrong, MEANS, do, partial(_set_aside, settings, place, run))


def _files(place: Place) -> list[pafs.FileInfo]:
    found = place.files.get_file_info(pafs.FileSelector(place.name, allow_not_found=True, recursive=True))
    return [file for file in found if file.type == pafs.FileType.File]


def _wrong_files(place: Place, files: list[pafs.FileInfo]) -> Iterator[str]:
    """The newest file of each log, if it can't be read: by it a driver would go on."""
    for name in LOGS:
        numbered = [f for f in files if f.base_name.isdigit() and f.path.split("/")[-2] == name]
        if numbered:
            file = max(numbered, key=lambda f: int(f.base_name))
            with place.files.open_input_stream(file.path, compression=None) as stream:
                why = _why_unreadable(stream.readall())
            if why:
                yield f"{file.path} {why}"


def _why_unreadable(content: bytes) -> str | None:
    if not content.strip():
        return "is empty"
    version, *lines = content.splitlines()
    if version != SPARKS_VERSION:
        return f"begins with {version[:20]!r}, not with {SPARKS_VERSION!r}"
    try:
        for line in lines:
            json.loads(line)
    except ValueError:
        return "is cut off"
    return None if lines else "is cut off"


def _set_aside(settings: DriverSettings, place: Place, run: str) -> None:
    """Move a checkpoint away, or the file in the place of all; deletes nothing.

    Dying half-way leaves some files, which the next run moves to the same place; twice: there are none.

    Raises:
        FencedError: a driver is running.
    """
    with driver_lock.none_runs(settings.driver_lock_path):
        if not run:
            place.files.move(place.name, f"{place.name}{ASIDE}")
        for file in _files(place) if run else ():
            if file.path.startswith(f"{place.name}/{run}/"):
                place.files.move(file.path, f"{place.name}{ASIDE}{file.path.removeprefix(place.name)}")
