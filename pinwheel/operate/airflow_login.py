"""The file of passwords that Airflow's simple auth manager reads."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

ADMIN = "admin"  # the one person who can log in


def write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    """Write the simple auth manager's file, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(passwords, file)
