"""The clock of a campaign's programs: steps as a machine's would, by libfaketime (Debian's package of that name)."""

from pathlib import Path

LIBRARIES = "**/faketime/libfaketimeMT.so.1"  # below /usr/lib
RIGHT = "+0"
REREAD_SECONDS = 1


def environment(folder: Path) -> dict[str, str]:
    """Variables that put programs under the clock of a folder; none, and a line that says so, without the library."""
    found = next(Path("/usr/lib").glob(LIBRARIES), None)
    if found is None:
        print("no libfaketime, so the clock is always right")
        return {}
    set_clock(folder, RIGHT)
    return {
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_CACHE_DURATION": str(REREAD_SECONDS),
        "DONT_FAKE_MONOTONIC": "1",  # no step of a machine's clock changes that one
        "NO_FAKE_STAT": "1",
    }


def set_clock(folder: Path, offset: str) -> None:
    """Set the clock of all programs, in seconds from the right time."""
    part = folder / "clock.part"
    part.write_text(offset)
    part.rename(folder / "clock")
