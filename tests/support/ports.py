"""Free ports, and those that processes have."""

import socket
from collections.abc import Iterable
from typing import Any

import psutil


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def free_ports() -> dict[str, Any]:
    """One for each port that a stack listens on, by the name of its setting."""
    names = ("kafka_port", "kafka_controller_port", "memsql_port", "pin_api_port", "airflow_port")
    return {name: free_port() for name in names}


def sockets(processes: Iterable[psutil.Process]) -> list[tuple[psutil.Process, Any]]:
    """Each process with each of its sockets; those that have ended by now have none."""
    found = []
    for process in processes:
        try:
            found += [(process, one) for one in process.net_connections("inet")]
        except psutil.NoSuchProcess:
            continue
    return found
