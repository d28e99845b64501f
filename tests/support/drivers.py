"""The stream's driver for a topic of its own, with lake, lock and log in a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pinwheel.local import environment
from pinwheel.local.stack import Stack
from tests.support.programs import LAUNCH
from tests.support.spark import spark_in


def launch(stack: Stack, topic: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Start it as the supervisor does; again in the same folder, it goes on where the last one ended."""
    home = folder / "spark"
    own = {
        "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": "local[2]"}),
        "PINWHEEL_TOPIC": topic,
        "PINWHEEL_STREAM_DIR": str(folder),
        "PINWHEEL_DRIVER_LOCK_PATH": str(lock(folder)),
        "PINWHEEL_LAKE_URI": f"{folder}/lake",
        "PINWHEEL_CHECKPOINT_URI": f"{folder}/checkpoints",
        "SPARK_HOME": str(home if home.exists() else spark_in(folder)),
    }
    whole = {**os.environ, **environment.for_airflow(stack.settings, stack.credentials), **own}
    return subprocess.Popen([sys.executable, "-c", LAUNCH], env=whole)


def lock(folder: Path) -> Path:
    """The driver's lock."""
    return folder / "driver.lock"


def log(folder: Path) -> str:
    """The driver's log so far."""
    path = folder / "driver.log"
    return path.read_text() if path.exists() else ""
