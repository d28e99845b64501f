"""Airflow connections as the second source of settings: they fill what the environment leaves out.

A connection is asked for only if ``PINWHEEL_CONNECTIONS`` names it or the environment defines it. Airflow gives the
same answer for a connection that does not exist and for one that it can't read at the moment, and the defaults in its
place would be another database or an empty lake.
"""

import json
import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pinwheel.core.errors import SettingError

log = logging.getLogger(__name__)

PREFIX = "PINWHEEL_"
NAMED = "PINWHEEL_CONNECTIONS"
NONE = "none"  # in NAMED: not even those that the environment defines
OWN = ("host", "port", "schema", "login", "password")  # an Airflow connection's fields; the others are its extra's

# A connection's field -> the setting. In capitals: a variable of the environment, which the store's clients read.
FIELDS: dict[str, dict[str, str]] = {
    "pinwheel_kafka": {
        "host": "kafka_bootstrap",
        "login": "kafka_sasl_username",
        "password": "kafka_sasl_password",
        "topic": "topic",
        "security_protocol": "kafka_security_protocol",
        "sasl_mechanism": "kafka_sasl_mechanism",
        "ssl_ca": "kafka_ssl_ca",
    },
    "pinwheel_memsql": {
        "host": "memsql_host",
        "port": "memsql_port",
        "schema": "memsql_database",
        "login": "memsql_user",
        "password": "memsql_password",
        "engine": "memsql_engine",
        "ssl_ca": "memsql_ssl_ca",
        "without_tls": "memsql_without_tls",
        "connect_seconds": "memsql_connect_seconds",
        "statement_seconds": "memsql_statement_seconds",
    },
    "pinwheel_memsql_stream": {"login": "stream_memsql_user", "password": "stream_memsql_password"},
    "pinwheel_memsql_report": {"login": "report_memsql_user", "password": "report_memsql_password"},
    "pinwheel_memsql_analyst": {"login": "analyst_memsql_user", "password": "analyst_memsql_password"},
    "pinwheel_lake": {
        "host": "lake_uri",
        "login": "AWS_ACCESS_KEY_ID",
        "password": "AWS_SECRET_ACCESS_KEY",
        "region": "AWS_REGION",
        "endpoint_url": "AWS_ENDPOINT_URL",
        "allow_http": "AWS_ALLOW_HTTP",
    },
    "pinwheel_pin_api": {
        "host": "pin_api_url",
        "password": "pin_api_token",
        "seconds": "pin_api_seconds",
        "batch": "pin_api_batch",
    },
}


OF_LAKE_JOBS = ("pinwheel_lake", "pinwheel_memsql")
OF_DRIVER = (*OF_LAKE_JOBS, "pinwheel_kafka", "pinwheel_memsql_stream", "pinwheel_pin_api")


@dataclass(frozen=True)
class Given:
    """A value, and the connection and its field that it comes from."""

    value: Any
    conn_id: str
    field: str

    @property
    def text(self) -> str:
        """As a variable of the environment."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)

    @property
    def origin(self) -> str:
        """Without the value, which may be a secret."""
        return f"connection {self.conn_id}: {self.field}"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return name if name.isupper() else f"{PREFIX}{name.upper()}"


def in_use() -> list[str]:
    """The connections that settings come from.

    Raises:
        SettingError: ``PINWHEEL_CONNECTIONS`` names one that Pinwheel does not know.
    """
    named = os.environ.get(NAMED, "").replace(",", " ").split()
    if named == [NONE]:
        return []
    for name in named:
        if name not in FIELDS:
            raise SettingError(f"{NAMED}: {name!r} is no connection of Pinwheel; there are {', '.join(FIELDS)}")
    return [conn_id for conn_id in FIELDS if conn_id in named or os.environ.get(_variable_of(conn_id))]


def fill(names: Collection[str], known: Collection[str]) -> dict[str, Any]:
    """Values of the settings ``names`` that are not ``known``. Gives the store's clients their variables too.

    Raises:
        SettingError: a connection that is needed can't be read.
    """
    found: dict[str, Any] = {}
    for conn_id in in_use():
        targets = set(FIELDS[conn_id].values())
        of_store = {name for name in targets if name.isupper() and not os.environ.get(name)}
        if targets & set(names) and (targets & set(names) - set(known) or of_store):
            values = given(conn_id)
            found |= {name: values[name].value for name in targets & set(names) if name in values}
            os.environ |= {name: values[name].text for name in of_store if name in values}
    return found


def lookup(name: str) -> str | None:
    """A setting's text, from the environment or else from a connection; None: neither has it."""
    if text := os.environ.get(variable(name)):
        return text
    found = _given_of(name)
    return None if found is None else found.text


def origin(name: str) -> str:
    """Where a setting comes from: ``environment``, ``connection …``, or ``default``."""
    if os.environ.get(variable(name)):
        return "environment"
    found = _given_of(name)
    return "default" if found is None else found.origin


def told() -> list[str]:
    """A line per connection in use: which of its fields count, and which the environment has itself; no values."""
    lines = []
    for conn_id in in_use():
        fields = {one.field: bool(os.environ.get(variable(name))) for name, one in given(conn_id).items()}
        line = f"connection {conn_id} gives {', '.join(f for f, is_set in fields.items() if not is_set) or 'nothing'}"
        instead = ", ".join(field for field, is_set in fields.items() if is_set)
        lines.append(f"{line}; the environment has {instead}" if instead else line)
    return lines


def environment(of: Collection[str]) -> dict[str, str]:
    """The values of these connections, as the environment of a process that can't read them. Empty if none is used."""
    used = [conn_id for conn_id in in_use() if conn_id in of]
    found = {name: one for conn_id in used for name, one in given(conn_id).items()}
    texts = {variable(name): one.text for name, one in found.items() if not os.environ.get(variable(name))}
    return texts | ({NAMED: NONE} if in_use() else {})


def give_to_children(_context: Any = None) -> None:
    """Set what a Spark job on the lake needs in this process: its children inherit it; no command line has it."""
    os.environ |= environment(OF_LAKE_JOBS)


@cache
def given(conn_id: str) -> Mapping[str, Given]:
    """The values of a connection, by setting; read once per process.

    Raises:
        SettingError: it can't be read, or has a field that is no setting.
    """
    fields = FIELDS[conn_id]
    values = _composed(conn_id, _read(conn_id))
    for name in values:
        if name not in fields:
            raise SettingError(f"connection {conn_id}: {name} is no part of it; there are {', '.join(fields)}")
    log.info("settings from connection=%s fields=%s", conn_id, ",".join(sorted(values)))
    return {fields[name]: Given(value, conn_id, name) for name, value in values.items()}


def _given_of(name: str) -> Given | None:
    sources = (conn_id for conn_id in in_use() if name in FIELDS[conn_id].values())
    return next((found for conn_id in sources if (found := given(conn_id).get(name))), None)


def _variable_of(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _read(conn_id: str) -> dict[str, Any]:
    """A connection's fields that are not empty, those of its extra included."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = Connection.get(conn_id)
    except AirflowNotFoundException:
        raise SettingError(f"connection {conn_id}: {_why_not(conn_id)}") from None
    except PermissionError:  # its message has no more to say
        raise SettingError(f"connection {conn_id}: Airflow does not let this task read it") from None
    own = {name: getattr(found, name) for name in OWN}
    return {name: value for name, value in (own | _extra(conn_id, found.extra)).items() if value not in (None, "")}


def _extra(conn_id: str, text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SettingError(f"connection {conn_id}: extra is no JSON object")
    return found


def _why_not(conn_id: str) -> str:
    """Why Airflow has no such connection. It skips an unreadable one in the environment without a word."""
    text = os.environ.get(_variable_of(conn_id), "")
    if not text:
        return (
            f"Airflow has none, or can't read it now or here. {NAMED} names it. Outside of Airflow's tasks and API "
            f"server, only {_variable_of(conn_id)} and secrets backends can be read"
        )
    if not text.startswith("{"):  # not quoted, as it may be a part of a password that is not encoded
        return f"{_variable_of(conn_id)} is no URI: its port is no number, or a character is not percent-encoded"
    try:
        fields = json.loads(text)
    except ValueError:
        return f"{_variable_of(conn_id)} is no JSON"
    if not str(port := fields.get("port") or 0).isdecimal():
        return f"port {port!r} is no number"
    return f"{_variable_of(conn_id)} has others than the fields {', '.join(OWN)}, conn_type, description, extra"


def _composed(conn_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the host as the setting wants it: with its port, and as a URL."""
    if conn_id == "pinwheel_kafka" and "port" in values:
        return _with_port(conn_id, values)
    if conn_id == "pinwheel_pin_api" and "://" not in values.get("host", "://"):
        if "schema" not in values:
            raise SettingError(f"connection {conn_id}: schema is empty; give http or https, or a URL as the host")
        values = values | {"host": f"{values['schema']}://{values['host']}"}
    if conn_id == "pinwheel_pin_api":
        values = {name: value for name, value in values.items() if name != "schema"}
        return _with_port(conn_id, values) if "port" in values else values
    return values


def _with_port(conn_id: str, values: dict[str, Any]) -> dict[str, Any]:
    if "host" not in values or "," in values["host"]:
        raise SettingError(f"connection {conn_id}: a port needs one host; write several as host:port,host:port")
    host = f"{values['host'].rstrip('/')}:{values['port']}"
    return {name: value for name, value in values.items() if name != "port"} | {"host": host}
