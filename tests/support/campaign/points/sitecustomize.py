"""Points at which a program of a campaign's stack dies, and the ports of the proxy that its programs connect through.

Python imports this at each start, as the campaign puts the folder on ``PYTHONPATH``. A point is armed by a file of its
name in ``FAULTS_FOLDER``: the program that comes there first takes the file away and dies by SIGKILL, or, where the
file says "lost", goes on as if the connection had broken.
"""

import json
import os
import re
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wrapt

FOLDER = Path(os.environ.get("FAULTS_FOLDER", os.devnull))  # without one nothing is ever armed
LAKE_STEP = "create_write_transaction"  # a landing
STATEMENTS = ("execute", "execute_many", "execute_all", "insert_id")

Call = Callable[..., Any]


def reach(point: str) -> bool:
    """Die, if the point is armed; returns whether the connection is to be lost instead."""
    armed = FOLDER / point.replace("/", ":")
    reached = armed.with_name(f"{armed.name}.reached")
    try:
        armed.rename(reached)  # one program dies, and only once
    except OSError:
        return False
    if reached.read_text() == "lost":
        return True
    os.kill(os.getpid(), signal.SIGKILL)
    return False


def statement(wrapped: Call, instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A statement of ``sql/``."""
    step = " ".join(filter(None, (args[1], kwargs.get("table"))))
    args[0].step = step  # a commit is called by the last statement before it
    reach(f"before {step}")
    return wrapped(*args, **kwargs)


def commit(wrapped: Call, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A commit: nothing has been committed before it; after it all has, but nobody here knows."""
    step = getattr(instance, "step", "nothing")
    reach(f"before commit of {step}")
    read, instance._read_ok_packet = instance._read_ok_packet, lambda: select.select([instance._sock], [], [])
    try:
        wrapped()  # sends it, and waits until the answer is there
    finally:
        del instance._read_ok_packet
    if reach(f"after commit of {step}"):
        instance._sock.shutdown(2)  # the next read finds the connection lost
    read()


def landing(wrapped: Call, instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A landing's commit of the lake."""
    reach(f"before {LAKE_STEP}")
    found = wrapped(*args, **kwargs)
    reach(f"after {LAKE_STEP}")
    return found


@wrapt.when_imported("pinwheel.clients.memsql")
def _database(module: Any) -> None:
    for name in STATEMENTS:
        wrapt.wrap_function_wrapper(module, name, statement)
    wrapt.wrap_function_wrapper(module, "Connection.commit", commit)


@wrapt.when_imported("deltalake.table")
def _lake(module: Any) -> None:
    wrapt.wrap_function_wrapper(module, f"DeltaTable.{LAKE_STEP}", landing)


def _ports() -> dict[str, int]:
    found: dict[str, int] = json.loads((FOLDER / "ports.json").read_text())
    return found


def through_proxy(wrapped: Call, instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, str]:
    """The settings of the stack's programs."""
    ports = _ports()
    return {
        **wrapped(*args, **kwargs),
        "PINWHEEL_KAFKA_BOOTSTRAP": f"127.0.0.1:{ports['the broker']}",
        "PINWHEEL_MEMSQL_PORT": str(ports["MariaDB"]),
        "PINWHEEL_PIN_API_URL": f"http://127.0.0.1:{ports['the Pin API']}",
    }


def advertised(wrapped: Call, instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The broker tells its clients where it is."""
    port = _ports()["the broker"]
    return re.sub(r"(?m)^(advertised\.listeners=\w+://127\.0\.0\.1:)\d+", rf"\g<1>{port}", wrapped(*args, **kwargs))


@wrapt.when_imported("pinwheel.local.environment")
def _environment(module: Any) -> None:
    wrapt.wrap_function_wrapper(module, "shared", through_proxy)


@wrapt.when_imported("pinwheel.local.kafka")
def _broker(module: Any) -> None:
    wrapt.wrap_function_wrapper(module, "properties_text", advertised)
