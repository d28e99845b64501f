"""The clock of a campaign: the machine's own, until a fault sets it for every program, the campaign itself included.

libfaketime, which is made for this, can't be used: under it the broker takes two minutes to start, and Python does not
sleep. Monotonic clocks and the times of files stay as they are.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pinwheel.local.settings import LocalSettings

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("cc")
FILE = "FAULTS_CLOCK"  # has the seconds by which the clock is ahead
BYTES = 8


def begin() -> None:
    """Start this program again with such a clock, right at first. Without a C compiler no fault sets the clock."""
    if is_settable():
        return
    if not COMPILER:
        print("no C compiler (cc), so no fault sets the clock")
        return
    folder = LocalSettings().state_dir.absolute() / "faults-clock"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.execve(sys.executable, sys.orig_argv, os.environ | made(COMPILER, folder))


def made(compiler: str, folder: Path) -> dict[str, str]:
    """The environment of programs with a clock of their own."""
    library, seconds = folder / "clock.so", folder / "seconds"
    subprocess.run((compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"), check=True)
    seconds.write_bytes(bytes(BYTES))
    return {"LD_PRELOAD": str(library), FILE: str(seconds)}


def is_settable() -> bool:
    """Whether this program has such a clock."""
    return FILE in os.environ


def set_by(seconds: int) -> None:
    """Set the clock ahead, or back if it is negative, for every program at the same moment."""
    with Path(os.environ[FILE]).open("r+b", buffering=0) as file:
        before = int.from_bytes(file.read(BYTES), sys.byteorder, signed=True)
        os.pwrite(file.fileno(), (before + seconds).to_bytes(BYTES, sys.byteorder, signed=True), 0)
