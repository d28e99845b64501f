"""Attempts of another user of the machine on a running stack: its files, processes and ports. In a child process."""

import http.client
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pymysql
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

NOBODY = 65534
USERS = (
    "root",
    "mysql",
    "pinwheel_admin",
    "pinwheel_merge",
    "pinwheel_stream",
    "pinwheel_report",
    "pinwheel_analyst",
    "",
)
GUESSES = ("", "root", "pinwheel", "password")
Got = list[str]


def as_nobody(attempt: Callable[..., Got], *given: object) -> Got:
    """Try something as a user without any right, who may not even read the packages: they are loaded already."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork"), initializer=_become_nobody) as child:
        assert child.submit(os.getuid).result() == NOBODY
        return child.submit(attempt, *given).result()


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def files(paths: Sequence[Path]) -> Got:
    """Files that can be read, and folders that can be listed or written to."""
    return [f"{path}: {'read' if os.access(path, os.R_OK) else 'written'}" for path in paths if _is_open(path)]


def _is_open(path: Path) -> bool:
    return os.access(path, os.R_OK) or os.access(path, os.W_OK)


def processes(pids: Iterable[int]) -> Got:
    """Processes whose environment can be read, or that can be killed."""
    got = []
    for pid in pids:
        for what, attempt in (("environ", _environment), ("mem", _memory), ("killed", _signal)):
            try:
                attempt(pid)
            except (PermissionError, ProcessLookupError, FileNotFoundError):
                continue
            got.append(f"{pid}: {what}")
    return got


def _environment(pid: int) -> None:
    Path(f"/proc/{pid}/environ").read_bytes()


def _memory(pid: int) -> None:
    Path(f"/proc/{pid}/mem").open("rb").close()


def _signal(pid: int) -> None:
    os.kill(pid, 0)


def database(port: int) -> Got:
    """Logins that the database takes."""
    got = []
    for user in USERS:
        for password in GUESSES:
            try:
                pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, connect_timeout=5).close()
            except pymysql.err.OperationalError:
                continue
            got.append(f"{user or 'no name'} with {password!r}")
    return got


def broker(port: int) -> Got:
    """Logins with which the broker lists its topics."""
    got = []
    logins = [{"security.protocol": "PLAINTEXT"}]
    logins += [
        {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": "pinwheel",
        }
        for user in ("pinwheel", "admin")
    ]
    for login in logins:
        try:
            AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0, **login}).list_topics(timeout=3)
        except KafkaException:
            continue
        got.append(str(login))
    return got


def pages(port: int, paths: Iterable[str]) -> Got:
    """Addresses that answer with something else than a refusal."""
    got = []
    for path in paths:
        for headers in ({}, {"Authorization": "Bearer guessed"}, {"Cookie": "_token=guessed"}):
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            asked.request("GET", path, headers=headers)
            status = asked.getresponse().status
            asked.close()
            if status not in (401, 403):
                got.append(f"{path} with {headers}: {status}")
    return got
