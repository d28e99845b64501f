"""The running stack's files are for their owner alone, and its programs have the secrets that they need."""

import stat
import subprocess
from pathlib import Path

from pinwheel.local.stack import Stack
from tests.support.oracle import Oracle
from tests.support.programs import PRODUCE

OTHERS = stat.S_IRWXG | stat.S_IRWXO
COPIED = "/static/web/"  # styles and fonts of Great Expectations' package, copied with their modes


def open_to_others(folder: Path) -> list[str]:
    """Files and folders that another user of the machine may read, write or enter; sockets ask for a login."""
    found = []
    for path in [folder, *folder.rglob("*")]:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # removed meanwhile
            continue
        if mode & OTHERS and COPIED not in str(path) and not stat.S_ISLNK(mode) and not stat.S_ISSOCK(mode):
            found.append(f"{path.relative_to(folder)} {stat.filemode(mode)}")
    return found


def test_files_are_for_their_owner_alone(running_stack: Stack) -> None:
    subprocess.run([*PRODUCE, "--rate", "0", "--count", "100", "--seed", "47"], check=True, capture_output=True)
    Oracle(running_stack).settle()
    folder = running_stack.settings.stack_dir
    parts = {path.name for path in folder.iterdir()}
    assert {"airflow", "kafka", "lake", "logs", "mariadb", "pids", "stream"} <= parts
    assert open_to_others(folder) == []
