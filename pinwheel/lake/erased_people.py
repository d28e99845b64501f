"""The list of erased people: the stream keeps their redelivered events out of the lake.

It is next to the lake, so that landing needs no database: an empty object per person, called after the keyed hash of
the id. Without the key nobody can tell whom it lists.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler
from pydantic import SecretStr

from pinwheel.core.contract import Type
from pinwheel.core.errors import LakeError
from pinwheel.core.mentions import person_hash
from pinwheel.enrich.pin_sources import VALUE_FIELDS, VALUES, VERSION, PinRow

FOLDER = "erased_people"
PINS = "-pins"  # at the end of a name: the texts of the pins that the person made are erased too
LISTED_SECONDS = 5.0  # a Python worker looks this often; the rows of one that has not looked yet are erased later
PIN_TEXTS = {f.name for f in VALUE_FIELDS if f.type == Type.STRING and f.name != "category"}  # written by its creator
CREATOR = [f.name for f in VALUE_FIELDS].index("creator_id")
KEY_CHARS = 8  # of a hash of the key, so that an entry made with another key is noticed
REMEMBERED = 500_000  # people who came lately, about 40 MB


class ErasedPeople:
    """The list as a Python worker sees it. Costs a look at a folder every ``LISTED_SECONDS`` while it is empty.

    Raises:
        LakeError: by any method, the list was made with another key.
    """

    def __init__(self, lake_uri: str, key: SecretStr, clock: Callable[[], float] = time.monotonic) -> None:
        self._uri, self._key, self._clock = lake_uri, key, clock
        self._looked_at = float("-inf")
        self._pins_too: dict[str, bool] = {}  # by hash
        self._seen: set[int] = set()  # people who were looked up
        self._found: dict[int, bool] = {}  # those of them who are listed

    def __bool__(self) -> bool:
        if self._clock() - self._looked_at >= LISTED_SECONDS:
            listed, self._looked_at = self._listed(), self._clock()
            if listed != self._pins_too:
                self._pins_too, self._seen, self._found = listed, set(), {}
        return bool(self._pins_too)

    def of(self, user_ids: Iterable[int | None]) -> dict[int, bool]:
        """Those of the people who are listed, and whether the texts of their pins are erased too."""
        if not self:
            return {}
        asked = {user_id for user_id in user_ids if user_id is not None}
        if len(self._seen) > REMEMBERED:
            self._seen, self._found = set(), {}
        for user_id in asked - self._seen:  # a hash takes a microsecond
            hashed = person_hash(self._key, user_id)
            if hashed in self._pins_too:
                self._found[user_id] = self._pins_too[hashed]
        self._seen |= asked
        return {i: self._found[i] for i in asked & self._found.keys()}

    def strip(self, pins: dict[int, PinRow]) -> dict[int, PinRow]:
        """Pins of a source without erased people who made them, and on request without what they wrote."""
        if not self:
            return pins
        known = self.of({row[CREATOR] for row in pins.values()})
        return {i: _stripped(row, known[row[CREATOR]]) if row[CREATOR] in known else row for i, row in pins.items()}

    def _listed(self) -> dict[str, bool]:
        names = _names(self._uri)
        mine = _fingerprint(self._key) if names else ""
        if strange := [name for name in names if not name.startswith(f"{mine}-")]:
            raise LakeError(
                f"{len(strange)} people in {self._uri}/{FOLDER} were erased with another PINWHEEL_ERASURE_KEY: set the "
                "key that they were erased with, or their events would land again"
            )
        entries = [name.removeprefix(f"{mine}-") for name in names]
        found = {entry: False for entry in entries if not entry.endswith(PINS)}
        return found | {entry.removesuffix(PINS): True for entry in entries if entry.endswith(PINS)}


def _stripped(pin: PinRow, texts: bool) -> PinRow:
    gone = PIN_TEXTS if texts else set[str]()
    kept = (
        None if field.name == "creator_id" or field.name in gone else value
        for field, value in zip(VALUE_FIELDS, pin[VALUES], strict=True)
    )
    return (*kept, *pin[VERSION])


def add(lake_uri: str, key: SecretStr, user_id: int, *, pins: bool) -> None:
    """List a person. Dying before it lists nobody; twice lists once, as an entry is an object of its own name."""
    name = f"{_fingerprint(key)}-{person_hash(key, user_id)}{PINS if pins else ''}"
    if "://" not in lake_uri:
        Path(lake_uri, FOLDER).mkdir(parents=True, exist_ok=True)
    with _folder(lake_uri).open_output_stream(f"{FOLDER}/{name}", compression=None, buffer_size=16) as stream:
        stream.write(b"erased")


def _fingerprint(key: SecretStr) -> str:
    if not key.get_secret_value():
        raise LakeError("PINWHEEL_ERASURE_KEY is not set: people are listed under a hash with this key")
    return person_hash(key, 0)[:KEY_CHARS]


def _names(lake_uri: str) -> list[str]:
    if "://" not in lake_uri:
        folder = Path(lake_uri, FOLDER)
        return [path.name for path in folder.iterdir() if "#" not in path.name] if folder.is_dir() else []
    found = _folder(lake_uri).get_file_info(pafs.FileSelector(FOLDER, allow_not_found=True))
    return [info.base_name for info in found]


def _folder(lake_uri: str) -> pafs.FileSystem:
    return pafs.PyFileSystem(DeltaStorageHandler(lake_uri))
