"""Background processes: started in sessions of their own, found again later, ended with all their children.

A process is ours if its start time is the one in the pid file (a recycled pid has another), or by a mark in its
environment, which children inherit. No other process is ever signalled.
"""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from pinwheel.core import atomic
from pinwheel.core.errors import LocalError
from pinwheel.install.progress import Say
from pinwheel.local import logs
from pinwheel.local.settings import ROOT

MARK = "PINWHEEL_OWNER"
CODE = ("pinwheel", "spark_jobs", "plugins", "expectations", "dags", "sql")  # what our programs run
SUFFIXES = {".py", ".sql", ".jinja", ".java", ".toml"}
LOG_LINES = 15
SAME_START_SECONDS = 1.0  # start times are ticks since a boot time that clock corrections shift a little
POLL_SECONDS = 0.2
LEADER_SECONDS = 4.0  # then a leader that still waits for a task gets a second signal
KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """A named command."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]  # in addition to this process's
    withheld: frozenset[str] = frozenset()  # variables of this process that it must not get


class Owned:
    """One background process, its leader, and all processes of the leader's session."""

    def __init__(self, name: str, stack_dir: Path) -> None:
        self.name = name
        self.log_path = stack_dir / "logs" / f"{name}.log"
        self._pid_path = stack_dir / "pids" / f"{name}.json"
        self._mark = f"{stack_dir}:{name}"

    def start(self, program: Program, cwd: Path) -> subprocess.Popen[bytes]:
        """Start it, after ending what an earlier, killed run left behind."""
        self.stop(seconds=5)
        logs.begin(self.log_path)
        environment = _environment(program)
        with self.log_path.open("ab") as log:
            child = subprocess.Popen(
                program.command,
                env={**environment, MARK: self._mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=atomic.PRIVATE,
            )
        started_at = psutil.Process(child.pid).create_time()
        record = {"pid": child.pid, "started_at": started_at, "digest": _digest(program.command, environment)}
        atomic.write_text(self._pid_path, json.dumps(record))
        return child

    def runs(self, program: Program) -> bool:
        """Whether it runs as ``start`` would start it now: the same command, settings and code."""
        if self.leader() is None:
            return False
        digest = json.loads(self._pid_path.read_text()).get("digest")
        return bool(digest == _digest(program.command, _environment(program)))

    def leader(self) -> psutil.Process | None:
        """The process that was started, or None when it has ended."""
        process, _ = self._recorded()
        return process if process is not None and _is_alive(process) else None

    def members(self) -> list[psutil.Process]:
        """All processes of the session, also when the leader has died."""
        leader, session = self._recorded()
        if session is None:
            return []
        members = in_session(session)
        # Without its leader a session is recognised by the mark. Its id is not reused while it has members.
        return members if leader is not None or any(mark_of(p) == self._mark for p in members) else []

    def stop(self, seconds: float = 30.0) -> None:
        """Stop it; see ``stop_all``."""
        stop_all([self], seconds)

    def kill(self) -> None:
        """SIGKILL at once, like a crash."""
        end(self.members(), 0)

    def forget(self) -> None:
        """Remove the pid file of a program that was stopped."""
        self._pid_path.unlink(missing_ok=True)

    def last_lines(self) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-LOG_LINES:])
        except FileNotFoundError:
            return ""

    def _recorded(self) -> tuple[psutil.Process | None, int | None]:
        """The leader (possibly a zombie; None when it is gone) and the session id; both None for a recycled pid."""
        try:
            record = json.loads(self._pid_path.read_text())
        except FileNotFoundError:
            return None, None
        try:
            process = psutil.Process(record["pid"])
            same = abs(process.create_time() - record["started_at"]) < SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return None, record["pid"]
        return (process, record["pid"]) if same else (None, None)


def _environment(program: Program) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in program.withheld}
    return {**inherited, **program.environment}


def _digest(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Of everything that decides what a program does; ours have their settings from the environment."""
    settings = sorted((k, v) for k, v in environment.items() if k.startswith(("PINWHEEL_", "AIRFLOW_")))
    return hashlib.sha256(json.dumps([command, settings, _changed_at(CODE)]).encode()).hexdigest()


@cache
def _changed_at(folders: tuple[str, ...]) -> int:
    """When the code was changed last, in Unix nanoseconds; looked up once, as a run starts many programs.

    A program that is restarted after a later change counts as one of the older code: it is not taken over.
    """
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    return max(path.stat().st_mtime_ns for path in files)


def mark_of(process: psutil.Process) -> str:
    """The process's mark, ``stack_dir:name``; empty when it is not ours, or is gone."""
    try:
        return process.environ().get(MARK, "")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def session_of(process: psutil.Process) -> int | None:
    """The session id, or None when the process is gone."""
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def in_session(session: int) -> list[psutil.Process]:
    """All processes of a session."""
    return [process for process in psutil.process_iter() if session_of(process) == session]


def marked(stack_dir: Path) -> list[psutil.Process]:
    """Every process that this stack started, directly or not."""
    prefix = f"{stack_dir}:"
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and mark_of(p).startswith(prefix)]


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """SIGTERM, wait up to ``seconds``, then SIGKILL those that are left and wait for their end."""
    alive = list(processes)
    if seconds > 0:
        _signal_all(alive, signal.SIGTERM)
        alive = outlive(alive, seconds)
    _signal_all(alive, signal.SIGKILL)
    outlive(alive, KILL_SECONDS)


def outlive(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the processes to end; returns those that are still alive after ``seconds``."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if _is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def stop_all(owned: Iterable[Owned], seconds: float) -> None:
    """Stop programs in parallel: SIGTERM to each leader, which ends its children itself; then ``end`` the rest.

    If all of Airflow got the signal at once, its scheduler would wait for ever for workers that are gone.
    """
    programs = list(owned)
    members = [process for program in programs for process in program.members()]
    leaders = [leader for program in programs if (leader := program.leader()) is not None]
    _signal_all(leaders, signal.SIGTERM)
    end(outlive(members, min(LEADER_SECONDS, seconds)), seconds)
    for program in programs:
        program.forget()


def _signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)  # psutil checks the start time first
        except psutil.NoSuchProcess:
            continue


def _is_alive(process: psutil.Process) -> bool:
    """False for zombies, too: their parent may never reap them."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(what: str, ready: Callable[[], bool], owned: Iterable[Owned], *, seconds: float, say: Say) -> None:
    """Wait for ``ready``.

    Raises:
        LocalError: a process died, or ``seconds`` have passed; with the last lines of its log.
    """
    begin = time.monotonic()
    say(what)
    watched = list(owned)
    while not ready():
        for process in watched:
            if process.leader() is None:
                raise LocalError(
                    f"{process.name} ended while starting. Its log {process.log_path} ends with:\n"
                    f"{process.last_lines()}"
                )
        if time.monotonic() - begin > seconds:
            logs = "\n".join(f"{process.log_path} ends with:\n{process.last_lines()}" for process in watched)
            raise LocalError(
                f"still waiting for {what} after PINWHEEL_START_SECONDS={seconds:.0f}; allow more, or see {logs}"
            )
        time.sleep(POLL_SECONDS)
