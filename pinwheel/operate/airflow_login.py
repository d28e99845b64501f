"""The password file of Airflow's simple auth manager."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

ADMIN = "admin"


def write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    """Write the file, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(passwords, file)
