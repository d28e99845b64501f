"""Installs Python packages that no part of Pinwheel imports, each set by a lock of its own, apart from the others."""

import subprocess
import sys
from pathlib import Path

from pinwheel.core.errors import MissingPartError
from pinwheel.install import stamps

LOCKS = Path(__file__).parent


def lock_path(name: str) -> Path:
    """The lock of a set."""
    return LOCKS / name / "requirements.txt"


def fetch(name: str, folder: Path) -> None:
    """Install the packages of the lock ``name`` into ``folder``, which goes to PYTHONPATH."""
    uv = Path(sys.prefix).with_name("uv") / "bin" / "uv"
    command = [str(uv), "pip", "install", "--python", sys.executable, "--require-hashes", "--target", str(folder)]
    done = subprocess.run([*command, "-r", str(lock_path(name))], capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingPartError(
            f"the packages of {lock_path(name)} could not be installed; check the network and start again. "
            f"uv said:\n{done.stderr[-2000:]}"
        )


def digest(name: str) -> str:
    """The stamp of a current folder."""
    return stamps.digest_of([lock_path(name)])
