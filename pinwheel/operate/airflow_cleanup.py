"""Remove old history from Airflow's database and old task logs."""

import logging
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinwheel.core.errors import PinwheelError, SettingError

log = logging.getLogger(__name__)

DATABASE_URL = "PINWHEEL_AIRFLOW_DATABASE_URL"  # Airflow hides its own setting from tasks
SECONDS_A_DAY = 86_400


def clean_airflow(days: int, dry_run: bool) -> None:
    """Remove history and task logs older than ``days``; with ``dry_run`` only log what would be removed.

    Idempotent: if it dies half-way, the next run removes the rest.

    Raises:
        SettingError: the database's address is not in the environment.
        PinwheelError: ``airflow db clean`` failed; its output is in the log.
    """
    _clean_database(datetime.now(UTC) - timedelta(days=days), dry_run)
    _clean_logs(time.time() - days * SECONDS_A_DAY, dry_run)


def _clean_database(before: datetime, dry_run: bool) -> None:
    url = os.environ.get(DATABASE_URL)
    if not url:
        raise SettingError(f"{DATABASE_URL} is not set: give it the value of AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    command = ["airflow", "db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("_AIRFLOW")}
    env = inherited | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}
    done = subprocess.run(
        [*command, *(["--dry-run"] if dry_run else [])], env=env, capture_output=True, text=True, check=False
    )
    log.info("airflow db clean dry_run=%s\n%s", dry_run, done.stdout)
    if done.returncode:
        log.error("%s", done.stderr)
        raise PinwheelError(f"`{' '.join(command)}` exited with {done.returncode}; its output is above")


def _clean_logs(before: float, dry_run: bool) -> None:
    from airflow.configuration import conf

    old = [p for p in Path(conf.get("logging", "base_log_folder")).rglob("*.log") if p.stat().st_mtime < before]
    for path in old:
        if not dry_run:
            path.unlink(missing_ok=True)
    log.info("task logs dry_run=%s removed=%d", dry_run, len(old))
