"""After everything that the other tests made the running stack do, and log: its secrets are where they must be alone.

Its credentials are random, so they are their own markers.
"""

import socket
import subprocess
from ipaddress import ip_address

import psutil
import pytest

from pinwheel.local.processes import marked
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock
from tests.support import secret_scan
from tests.support.airflow_client import Airflow, Json
from tests.support.oracle import Oracle, wait_until
from tests.support.ports import sockets
from tests.support.programs import PRODUCE
from tests.support.secret_scan import Secrets

# Files that must hold secrets, with the reason.
HOLDERS = {
    "secrets.json": "the stack's secrets, for its next start",
    "airflow/passwords.json": "Airflow's simple auth manager reads its logins from it",
    "kafka/server.properties": "the broker reads its users from it",
}
OF_AIRFLOW = {"airflow_jwt", "airflow_session", "airflow_fernet"}  # tokens, sessions, and what its database encrypts
OF_DRIVER = {"memsql_stream", "erasure_key", "kafka_client", "pin_api_token"}
# Programs whose environment may hold secrets; the scheduler forks the tasks, of which one starts the driver.
ENVIRONMENTS = {
    "airflow-scheduler": OF_AIRFLOW | OF_DRIVER | {"memsql_merge", "memsql_report"},
    "airflow-api-server": OF_AIRFLOW | {"memsql_report", "memsql_analyst"},
    "airflow-dag-processor": OF_AIRFLOW,
    "airflow-triggerer": OF_AIRFLOW,
    "driver": OF_DRIVER,
    "pin_api": {"pin_api_token"},
    "generator": {"kafka_client"},
}
FORMS: dict[str, Json] = {  # Dags with a form, run once by hand: what they render and return is in Airflow's database
    "apply_retention": {"dry_run": True},
    "clean_metadata": {"dry_run": True},
    "compact_tables": {"dry_run": True},
    "rebuild_tables": {"dry_run": True},
    "replay_dead_letters": {"dry_run": True},
    "control_stream": {"wanted": "running", "dry_run": True},
    "report_brands": {},
    "check_quality": {},
    "watch_health": {},
    "set_time_zone": {"brand_id": 1, "time_zone": "UTC", "reason": "their days are UTC"},
    "bind_user": {"user": "nobody", "brand_ids": None, "reason": "leaves"},
    "silence_alert": {"name": "small_files", "hours": 1, "reason": "planned work"},
}


@pytest.fixture(scope="module")
def secrets(running_stack: Stack) -> Secrets:
    return Secrets(running_stack.credentials)


@pytest.fixture(scope="module")
def used_stack(running_stack: Stack, secrets: Secrets) -> Stack:
    """After a run of each Dag, with the command lines of its processes looked at meanwhile."""
    subprocess.run([*PRODUCE, "--rate", "0", "--count", "500", "--seed", "53"], check=True, capture_output=True)
    Oracle(running_stack).settle()
    airflow, folder = Airflow(running_stack), running_stack.settings.stack_dir
    runs = [f"dags/{dag}/dagRuns/{airflow.trigger(dag, conf)}" for dag, conf in FORMS.items()]

    def all_ended() -> bool:
        told = [(name, line) for name, line in secret_scan.commands(folder) if secrets.in_bytes(line)]
        assert told == []
        return all(airflow.get(run)["state"] in ("success", "failed") for run in runs)

    wait_until("the Dags have run", all_ended, 420)
    return running_stack


def test_every_secret_is_looked_for(secrets: Secrets, running_stack: Stack) -> None:
    assert len(secrets.names) >= 10
    found = secrets.in_files(running_stack.settings.stack_dir)
    assert found["airflow/passwords.json"] == {"airflow_admin"}
    assert found["kafka/server.properties"] == {"kafka_client", "kafka_broker"}


def test_no_file_holds_a_secret(used_stack: Stack, secrets: Secrets) -> None:
    """Logs of all programs and tasks, rendered reports, Data Docs, the lake, the checkpoint, Kafka's and MariaDB's."""
    found = secrets.in_files(used_stack.settings.stack_dir)
    assert {path: names for path, names in found.items() if path not in HOLDERS} == {}


def test_airflow_s_database_holds_no_secret(used_stack: Stack, secrets: Secrets) -> None:
    """Connections, variables, XComs, rendered fields, serialized Dags, the audit log: every column of every table."""
    assert secrets.in_sqlite(used_stack.settings.airflow_dir / "airflow.db") == {}


def test_no_command_line_holds_a_secret(used_stack: Stack, secrets: Secrets) -> None:
    lines = list(secret_scan.commands(used_stack.settings.stack_dir))
    assert {"kafka", "memsql", "pin_api", "driver", *(ENVIRONMENTS.keys() - {"generator"})} <= {n for n, _ in lines}
    assert [(name, secrets.in_bytes(line)) for name, line in lines if secrets.in_bytes(line)] == []


def test_an_environment_holds_what_its_program_needs(used_stack: Stack, secrets: Secrets) -> None:
    wait_until("the driver runs", lambda: driver_lock.running(used_stack.settings.driver_lock_path) is not None)
    found = [(n, secrets.in_bytes(e)) for n, e in secret_scan.environments(used_stack.settings.stack_dir)]
    assert {"kafka", "memsql", "pin_api", "driver"} <= {name for name, _ in found}
    assert secret_scan.beyond(found, ENVIRONMENTS) == {}


def test_only_loopback_listens(used_stack: Stack) -> None:
    """Every socket of every process: TCP that listens, UDP that is bound and talks to nobody in particular."""
    open_to_others, ours = [], set()
    for process, found in sockets(marked(used_stack.settings.stack_dir)):
        waits = found.status == psutil.CONN_LISTEN or (found.type == socket.SOCK_DGRAM and not found.raddr)
        if waits and found.laddr:
            ours.add(found.laddr.port)
            if not is_loopback(found.laddr.ip):
                open_to_others.append(f"{process} {found.laddr}")
    assert open_to_others == []
    settings = used_stack.settings
    assert {settings.kafka_port, settings.memsql_port, settings.airflow_port, settings.pin_api_port} <= ours


def is_loopback(address: str) -> bool:
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)  # how Java's sockets show
    return (mapped or found).is_loopback
