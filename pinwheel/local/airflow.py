"""The embedded Airflow: its four programs, SQLite, LocalExecutor, loopback only.

Not ``airflow standalone``: it imports Airflow once more and migrates again before it starts the same four programs,
goes on without one that has died, and its log servers listen on every interface. Here each program is watched and
restarted separately, and the API server reads the log files from the disk.
"""

import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pinwheel.clients.spark import python_path
from pinwheel.core import http
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import LocalError, SettingError
from pinwheel.core.settings import MergeSettings, WebSettings, load
from pinwheel.install import stamps
from pinwheel.install.progress import Say
from pinwheel.install.tools import spark_home
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import LOOPBACK, Part
from pinwheel.local.processes import Program
from pinwheel.local.settings import ROOT, LocalSettings
from pinwheel.operate.airflow_login import ADMIN, write_passwords

API_SERVER, SCHEDULER = "airflow-api-server", "airflow-scheduler"
DAG_PROCESSOR, TRIGGERER = "airflow-dag-processor", "airflow-triggerer"
AIRFLOW = str(Path(sys.executable).with_name("airflow"))
PROGRAMS = {
    API_SERVER: (AIRFLOW, "api-server"),
    SCHEDULER: (sys.executable, "-m", "pinwheel.local.scheduler", "--skip-serve-logs"),
    DAG_PROCESSOR: (AIRFLOW, "dag-processor"),
    TRIGGERER: (AIRFLOW, "triggerer", "--skip-serve-logs"),
}
FROM_OUTSIDE = ("PINWHEEL_ALERT_URLS", "PINWHEEL_SMTP_PASSWORD")  # secrets that tasks get from the person's shell
MONITOR = "/api/v2/monitor/health"
# Airflow's configuration on every machine; comments give the reasons for what differs from the defaults.
ALWAYS = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",  # `make run` starts everything
    "AIRFLOW__API__HOST": LOOPBACK,
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "25",  # a killed task is noticed in half a minute, not five
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    # A killed scheduler's tasks run again within 40 s: these two together. Its heartbeat is every 5 s.
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",  # new Dag files are found within half a minute
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",  # without a change; a changed file is read at once
    "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",  # set whatever the umask is
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
    # Lineage is off without a transport. With one, the form of an erasure, which has a person's id, is kept out of it.
    "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps(
        [{"scope": {"dag_id": "erase_person"}, "controls": {"emit": False}, "locked": True}]
    ),
    "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": "local[2]"}),
    "PYTHONPATH": python_path(),
    "PYSPARK_PYTHON": sys.executable,
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_ANALYTICS": "false",
    "SPT_NOENV": "1",  # process titles must not overwrite the mark by which we recognise our processes
}


def part(settings: LocalSettings, environment: dict[str, str], less: Mapping[str, dict[str, str]]) -> Part:
    """Airflow, with its database migrated; ``less``: the environment of the programs that run no tasks."""
    return Part(
        name="airflow",
        title="Airflow",
        programs=tuple(_program(name, environment, less.get(name)) for name in PROGRAMS),
        waiting_for=f"its scheduler, Dag processor and API on port {settings.airflow_port}",
        ready=lambda: all_healthy(settings),
        prepare=lambda say: migrate(settings, environment, say),
        last=SCHEDULER,
    )


def _program(name: str, environment: dict[str, str], less: dict[str, str] | None) -> Program:
    """A program; one that gets less does not inherit the rest either."""
    if less is None:
        return Program(name, PROGRAMS[name], environment)
    return Program(name, PROGRAMS[name], less, frozenset({*environment, *FROM_OUTSIDE} - less.keys()))


def environment(settings: LocalSettings, credentials: Credentials) -> dict[str, str]:
    """Airflow's configuration: ``ALWAYS``, and what this machine and these settings decide."""
    home = settings.airflow_dir
    api = settings.airflow_url
    database = f"sqlite:///{home / 'airflow.db'}"
    return {
        **ALWAYS,
        "AIRFLOW_HOME": str(home),
        # Tasks that always run, and mostly wait: a merge per table and shard, the rollups, the supervisor.
        "AIRFLOW__CORE__PARALLELISM": str(len(TABLES) * load(MergeSettings).merge_shards + 6),
        "AIRFLOW__CORE__FERNET_KEY": credentials.airflow_fernet,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join([f"{ADMIN}:admin", *(f"{n}:viewer" for n in bound())]),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",  # or all tasks fail, unless on the default port
        # A writer waits for others; with the default of 5 s a busy machine answered a form with an error.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"{database}?timeout=60",
        "PINWHEEL_AIRFLOW_DATABASE_URL": database,  # for clean_metadata: Airflow hides its setting from tasks
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__BASE_URL": api,
        "AIRFLOW__API__SECRET_KEY": credentials.airflow_session,
        "AIRFLOW__API_AUTH__JWT_SECRET": credentials.airflow_jwt,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SPARK_HOME": str(spark_home()),
    }


def migrate(settings: LocalSettings, environment: Mapping[str, str], say: Say) -> None:
    """Create or upgrade Airflow's database, once per set of packages."""
    home = settings.airflow_dir
    home.mkdir(parents=True, exist_ok=True)
    stamp, digest = home / "migrated", stamps.digest_of([ROOT / "requirements.txt"])
    if stamp.exists() and stamp.read_text() == digest and (home / "airflow.db").exists():
        return
    say("migrating its database")
    done = subprocess.run(
        (AIRFLOW, "db", "migrate"),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalError(f"Airflow's database could not be migrated:\n{(done.stdout + done.stderr)[-3000:]}")
    stamp.write_text(digest)


def write_login(settings: LocalSettings, credentials: Credentials) -> None:
    """Write our passwords for the simple auth manager, so that we know them and can print them."""
    write_passwords(settings.airflow_dir / "passwords.json", logins(credentials))


def logins(credentials: Credentials) -> dict[str, str]:
    """The password of the administrator, and of each person who is bound to brands: always the same for a name."""
    key = credentials.airflow_session.encode()
    made = {name: hmac.digest(key, f"login {name}".encode(), "sha256").hex()[:24] for name in bound()}
    return made | {ADMIN: credentials.airflow_admin}


def bound() -> list[str]:
    """People who are bound to brands: with Airflow's lowest role, of which our pages are left (ADR 0016).

    Raises:
        SettingError: a name that could be read as a role or another user.
    """
    names = sorted(load(WebSettings).brand_users)
    for name in names:
        if name == ADMIN or not re.fullmatch(r"[A-Za-z0-9_.@-]+", name):
            raise SettingError(
                f"PINWHEEL_BRAND_USERS: {name!r} is {ADMIN}, or has others than letters, digits and _.@-"
            )
    return names


def all_healthy(settings: LocalSettings) -> bool:
    """Whether the API answers and reports scheduler, Dag processor and triggerer as healthy."""
    found = _statuses(settings)
    return all(found.get(name) == "healthy" for name in ("scheduler", "dag_processor", "triggerer"))


def scheduler_hangs(settings: LocalSettings) -> bool:
    """Whether the API answers, and the scheduler's last heartbeat is too old."""
    return _statuses(settings).get("scheduler") == "unhealthy"


def _statuses(settings: LocalSettings) -> dict[str, str]:
    """The status of each program that the API reports; empty if it does not answer."""
    try:
        found = http.get_json(settings.airflow_url + MONITOR, seconds=5)
        return {name: str(program["status"]) for name, program in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
