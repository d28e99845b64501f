"""The stack's secrets: generated once, kept in a file that only its owner can read, passed on by environment only."""

import base64
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path

from pinwheel.core import atomic


def _make(name: str) -> str:
    """A new value, in the form that its consumer requires."""
    if name == "airflow_fernet":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    if name == "kafka_cluster":
        first = bytes([secrets.randbelow(128)])  # no leading "-": Kafka's tool would take it for an option
        return base64.urlsafe_b64encode(first + secrets.token_bytes(15)).decode().rstrip("=")
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Credentials:
    """The secrets of one stack, and Kafka's cluster id, which must not change either."""

    memsql_admin: str
    memsql_merge: str
    memsql_stream: str
    memsql_report: str
    memsql_analyst: str
    airflow_admin: str
    airflow_jwt: str
    airflow_session: str
    airflow_fernet: str
    kafka_cluster: str
    pin_api_token: str
    kafka_client: str
    kafka_broker: str
    erasure_key: str


def load(stack_dir: Path) -> Credentials:
    """Read ``secrets.json``; generates and saves the values that it lacks."""
    path = stack_dir / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {field.name: known.get(field.name) or _make(field.name) for field in fields(Credentials)}
    credentials = Credentials(**made)
    if made != known:
        atomic.write_text(path, json.dumps(made, indent=2), mode=0o600)
    return credentials
