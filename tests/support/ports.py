"""Free ports."""

import socket
from typing import Any


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def free_ports() -> dict[str, Any]:
    """One for each port that a stack listens on, by the name of its setting."""
    names = ("kafka_port", "kafka_controller_port", "memsql_port", "pin_api_port", "airflow_port")
    return {name: free_port() for name in names}
