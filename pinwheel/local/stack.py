"""The embedded stack: start, stop and heal all of it, or one part."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import psutil

from pinwheel.core.errors import LocalError
from pinwheel.install import tools
from pinwheel.install.progress import PlainProgress, Progress
from pinwheel.local import airflow, checks, credentials, environment, kafka, logs, mariadb, pin_api, processes
from pinwheel.local.checks import RunLock, check_disk, check_ports
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import Part
from pinwheel.local.processes import Owned, Program
from pinwheel.local.settings import ROOT, LocalSettings

GENERATOR = "generator"  # not a part: only `pinwheel run` starts it
FIRST = ("kafka", "memsql", "pin_api")  # independent of each other; Airflow's tasks need all three
HEAL_PAUSE_SECONDS = 5.0  # least time between two starts of a program that dies at once
STOP_WAIT_SECONDS = 120.0
SCHEDULER_START_SECONDS = 60.0  # until its first heartbeat, on a busy machine
LOOK_SECONDS, LOOKS = 5.0, 2  # this machine may have slept, so one old heartbeat is not enough


@dataclass(frozen=True)
class ProgramState:
    """One program: its pid, None when it is down, and the memory of it and its children."""

    name: str
    pid: int | None
    megabytes: int


class Stack:
    """Kafka, MariaDB, the Pin API stand-in and Airflow on this machine."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self.lock = RunLock(settings.stack_dir)
        self.ended = threading.Event()  # set when a start has succeeded or failed
        self._up: set[str] = set()
        self._healed_at: dict[str, float] = {}
        self._was_full = False  # the disk
        self._look_at, self._hung = 0.0, 0  # when to look at the scheduler again; looks in a row at which it hung

    @cached_property
    def credentials(self) -> Credentials:
        """The stack's secrets, generated at the first access."""
        return credentials.load(self.settings.stack_dir)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """All parts by name: kafka, memsql, pin_api, airflow."""
        for_pin_api = environment.for_pin_api(self.settings, self.credentials)
        for_airflow = environment.for_airflow(self.settings, self.credentials)
        theirs = frozenset(for_airflow)  # a shell that has the pipeline's settings may have its secrets too
        made = (
            kafka.part(self.settings, self.credentials, theirs),
            mariadb.part(self.settings, self.credentials, theirs),
            pin_api.part(self.settings, for_pin_api, theirs),
            airflow.part(self.settings, for_airflow, environment.without_tasks(self.settings, self.credentials)),
        )
        return {part.name: part for part in made}

    def owned(self, name: str) -> Owned:
        """The process of a program, or of the generator."""
        return Owned(name, self.settings.stack_dir)

    def _programs(self, name: str) -> list[Owned]:
        return [self.owned(program.name) for program in self.parts[name].programs]

    def start(self, progress: Progress) -> None:
        """Start everything and wait until it is ready. If it fails, stop it all.

        Programs of an earlier run that was killed are taken over if all of them run, and ended otherwise.

        Raises:
            LocalError: a port is taken, the disk is too full, the stack is being run, or a part does not start.
        """
        self.lock.acquire()
        try:
            check_disk(self.settings)
            tools.ensure(self.settings.tools_dir, progress)
            if self._takes_over():
                return
            self._end_leftovers(progress)
            check_ports(self.settings)
            airflow.write_login(self.settings, self.credentials)
            self._start_all(progress)
        except BaseException:
            self.stop()
            raise

    def _takes_over(self) -> bool:
        """Whether the programs of a run that was killed go on, as this run would start them just so. They are up."""
        programs = [program for part in self.parts.values() for program in part.programs]
        if not all(self.owned(program.name).runs(program) for program in programs):
            return False
        self._up.update(self.parts)
        return True

    def _start_all(self, progress: Progress) -> None:
        """Start the parts in parallel; only Airflow's scheduler waits for the others, because its tasks use them."""
        with ThreadPoolExecutor(len(self.parts)) as pool:
            first = [pool.submit(self.start_part, name, progress) for name in FIRST]
            pool.submit(self.start_part, "airflow", progress, lambda: _results(first)).result()
            _results(first)

    def start_part(
        self, name: str, progress: Progress | None = None, before_last: Callable[[], None] = lambda: None
    ) -> None:
        """Start one part and wait until it is ready; calls ``before_last`` before its last program starts."""
        part = self.parts[name]
        with (progress or PlainProgress()).step(f"Starting {part.title}") as say:
            part.prepare(say)
            self._launch([program for program in part.programs if program.name != part.last])
            before_last()
            self._launch([program for program in part.programs if program.name == part.last])
            programs = self._programs(name)
            seconds = self.settings.start_seconds
            processes.wait_until(part.waiting_for, part.ready, programs, seconds=seconds, say=say)
            part.finish(say)
            if name == "memsql":
                self.make_schema()
        self._up.add(name)

    def _launch(self, programs: Iterable[Program]) -> None:
        for program in programs:
            self.owned(program.name).start(program, ROOT)

    def is_up(self, name: str) -> bool:
        """Whether this object has started the part."""
        return name in self._up

    def run_once(self, program: Program) -> None:
        """Run a program of the stack and wait for its end.

        Raises:
            LocalError: it failed; with the last lines of its log.
        """
        owned = self.owned(program.name)
        code = owned.start(program, ROOT).wait()
        if code:
            log = f"{owned.log_path} ends with:\n{owned.last_lines()}"
            raise LocalError(f"{' '.join(program.command)} ended with exit code {code}; {log}")

    def make_schema(self, restored: Sequence[str] = ()) -> list[str]:
        """Create the database, its users and tables, and grant their rights. Idempotent.

        Returns:
            Those of the ``restored`` reporting tables that were dropped, and are made anew.
        """
        from pinwheel.clients import migrations
        from pinwheel.generate.catalogue import Catalogue, save_brands

        mariadb.make_users(self.settings, self.credentials)
        admin = environment.memsql(self.settings, self.credentials, "admin")
        migrations.apply(admin)
        made_anew = migrations.restore(admin, restored)
        save_brands(Catalogue(seed=self.settings.catalogue_seed), admin)
        mariadb.grant_tables(self.settings)
        return made_anew

    def stop_part(self, name: str) -> None:
        """Stop one part's programs in reverse order: Airflow's API server last, as tasks report their end to it."""
        for program in reversed(self._programs(name)):
            processes.stop_all([program], self.settings.stop_seconds)

    def kill(self, name: str) -> None:
        """SIGKILL one part, like a crash."""
        processes.end(self._members(name), 0)

    def restart(self, name: str) -> None:
        """Stop and start one part; the others and the stream keep running."""
        self.stop_part(name)
        self.start_part(name)

    def _members(self, name: str) -> list[psutil.Process]:
        return [process for owned in self._programs(name) for process in owned.members()]

    def heal(self) -> list[str]:
        """Restart the programs that have died, without waiting until they are ready; returns their names.

        None is started on a full disk: most die again, and MariaDB's recovery waits for a minute before it looks again.
        """
        was_full, self._was_full = self._was_full, checks.is_full(self.settings)
        if self._was_full:
            return []
        # When the disk was full, a worker that could not write its log has died with its task, which Airflow takes for
        # queued as long as the scheduler lives.
        if was_full or self._scheduler_hangs():
            self.owned(airflow.SCHEDULER).kill()
        healed = []
        for part in self.parts.values():
            for program in part.programs:
                owned = self.owned(program.name)
                if owned.leader() is None and self._may_heal(program.name):
                    owned.start(program, ROOT)
                    healed.append(program.name)
        return healed

    def _scheduler_hangs(self) -> bool:
        """Whether the scheduler lives and schedules nothing: after an error it waits for the ends of its tasks."""
        scheduler, now = self.owned(airflow.SCHEDULER).leader(), time.time()
        if scheduler is None or now < scheduler.create_time() + SCHEDULER_START_SECONDS or now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        self._hung = self._hung + 1 if airflow.scheduler_hangs(self.settings) else 0
        return self._hung >= LOOKS

    def rotate_logs(self) -> None:
        """Rotate the large logs of the stack's programs and of the stream's driver."""
        logs.rotate((*self.settings.logs_dir.glob("*.log"), self.settings.driver_lock_path.with_name("driver.log")))

    def _may_heal(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._healed_at.get(name, float("-inf")) < HEAL_PAUSE_SECONDS:
            return False
        self._healed_at[name] = now
        return True

    def stop(self) -> None:
        """End every process that this stack started, including the stream's driver."""
        seconds = self.settings.stop_seconds
        self.owned(GENERATOR).stop(seconds)
        self.stop_part("airflow")  # before the driver, which Airflow's supervisor would restart
        self.stop_driver()
        processes.stop_all([owned for name in FIRST for owned in self._programs(name)], seconds)
        processes.end(processes.marked(self.settings.stack_dir), 5)
        self.lock.release()

    def stop_driver(self) -> None:
        """SIGTERM to the stream's driver, which finishes its batch; SIGKILL to what is left of its session."""
        # The next supervisor must not take this end for a failure.
        (self.settings.driver_lock_path.parent / "supervisor.json").unlink(missing_ok=True)
        leader = self._driver()
        if leader is None:
            return
        session = self._session_of(leader)
        processes.end([leader], self.settings.stop_seconds)
        processes.end(processes.outlive(session, 5), 5)  # its JVM ends by itself after Python

    def _driver(self) -> psutil.Process | None:
        from pinwheel.stream import driver_lock

        found = driver_lock.running(self.settings.driver_lock_path)
        return psutil.Process(found.pid) if found and psutil.pid_exists(found.pid) else None

    def _session_of(self, leader: psutil.Process) -> list[psutil.Process]:
        """All processes of the leader's session; only the leader when that is our own session."""
        session = processes.session_of(leader)
        if session is None or session == os.getsid(0):
            return [leader]
        return processes.in_session(session)

    def _end_leftovers(self, progress: Progress) -> None:
        left = processes.marked(self.settings.stack_dir)
        if left:
            with progress.step(f"Ending {len(left)} processes of an earlier run that was killed"):
                processes.end(left, self.settings.stop_seconds)

    def stop_from_outside(self) -> None:
        """For `make stop`: SIGTERM to the process that runs the stack, wait for its end, then end what is left."""
        holder = self.lock.holder()
        if holder is not None:
            os.kill(holder, signal.SIGTERM)
            deadline = time.monotonic() + STOP_WAIT_SECONDS
            while self.lock.holder() is not None:
                if time.monotonic() > deadline:
                    raise LocalError(f"process {holder} does not end; run `kill -9 {holder}` and `make stop` again")
                time.sleep(0.2)
        self.stop()

    def status(self) -> list[ProgramState]:
        """All programs of the stack, the generator and the stream's driver, up or not."""
        names = [program.name for part in self.parts.values() for program in part.programs]
        return [*(self._state(self.owned(name)) for name in (*names, GENERATOR)), self._driver_state()]

    def _driver_state(self) -> ProgramState:
        """The stream's driver, which Airflow starts, not we."""
        driver = self._driver()
        members = self._session_of(driver) if driver else []
        return ProgramState("stream driver", driver.pid if driver else None, sum(map(_megabytes, members)))

    def _state(self, owned: Owned) -> ProgramState:
        leader = owned.leader()
        return ProgramState(owned.name, leader.pid if leader else None, sum(map(_megabytes, owned.members())))


def _results(futures: Iterable[Future[None]]) -> None:
    """Wait for all; raises the first error."""
    for future in futures:
        future.result()


def _megabytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss / 1024**2)
    except psutil.NoSuchProcess:
        return 0
