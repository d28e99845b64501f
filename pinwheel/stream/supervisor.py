"""Keep the stream's driver alive: start it, re-attach to it, watch it from outside, restart it with backoff.

The driver's state is read from the kernel (its lock), Kafka and the lake. Only the failure count and the open alerts
are stored in a file, so that a new supervisor continues where the last one stopped.
"""

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil
from deltalake.exceptions import DeltaError

from pinwheel.alerts.catalogue import (
    DRIVER_ALERTS,
    DRIVER_FAILING,
    DRIVER_STALLED,
    STREAM_REFUSED,
    Alert,
    Resolve,
    Send,
)
from pinwheel.alerts.latch import Latch
from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.clients import kafka
from pinwheel.core import atomic
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import SuperviseSettings
from pinwheel.core.signals import stop_on_sigterm
from pinwheel.core.words import duration
from pinwheel.lake import events_table
from pinwheel.stream import driver_lock, source_log
from pinwheel.stream.source_log import SUBJECT
from pinwheel.stream.wish import Wanted, Wish

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0  # interval between reads of Kafka and the lake
START_SECONDS = 120.0  # a driver that has not taken its lock by then has failed to start
MAX_DOUBLINGS = 30  # of the pause, so that days of failures can't overflow it


@dataclass(frozen=True)
class SupervisorState:
    """The state that outlives a supervisor. Times in Unix seconds."""

    launched_pid: int = 0
    launched_at: float = 0.0
    failures: int = 0  # in a row
    next_start_at: float = 0.0
    restarts: int = 0
    stopped_at: float = 0.0  # since when people want it stopped; 0: they don't
    stopped_by: str = ""
    alerted: tuple[str, ...] | None = None  # names of the alerts that are open; None: unknown


@dataclass(frozen=True)
class StreamProgress:
    """How far the stream is, measured from outside."""

    lag: int  # records in Kafka that are not in the lake
    landed: int  # sum of the next offsets to land; grows with each landing, not with other commits to the lake


@dataclass(frozen=True)
class World:
    """The supervisor's dependencies, replaced in tests."""

    launch: Callable[[], int]  # starts a driver, returns its process id
    wanted: Callable[[], Wish]
    restarted: Callable[[], None]  # reports that the wanted restart is done
    progress: Callable[[], StreamProgress | None]  # None: Kafka or the lake does not answer
    refusal: Callable[[], str | None]  # see ``refusal``
    alert: Send
    resolve: Resolve
    clock: Callable[[], float]
    wait: Callable[[float], bool]  # waits for some seconds; True if asked to stop


def supervise(settings: SuperviseSettings, wanted: Callable[[], Wish], restarted: Callable[[], None]) -> None:
    """Supervise the real driver for one session; ``wanted`` and ``restarted`` read and write what people want."""
    from pinwheel.stream.submit import launch_driver  # imports Airflow's Spark provider

    with stop_on_sigterm() as stop:
        world = World(
            launch=lambda: launch_driver(settings),
            wanted=wanted,
            restarted=restarted,
            progress=lambda: progress(settings),
            refusal=lambda: refusal(settings),
            alert=raise_alert,
            resolve=resolve_alert,
            clock=time.time,
            wait=stop.wait,
        )
        Supervisor(settings, world).session()


def progress(settings: SuperviseSettings) -> StreamProgress | None:
    """The progress by Kafka's and the lake's offsets, independent of the driver; None if it is unknown."""
    try:
        held = kafka.held_offsets(settings)
        events = events_table.open_table(settings.events_uri)
        landed = events_table.landed(events, settings.topic, held)
        lags = [lag for lag in source_log.lags(settings, events, held).values() if lag is not None]
    except (PinwheelError, DeltaError, OSError) as error:  # delta-rs raises OSError if the store does not answer
        log.warning("lag is unknown: %s", error)
        return None
    return StreamProgress(sum(lags), sum(landed.values())) if len(lags) == len(held) else None


def refusal(settings: SuperviseSettings) -> str | None:
    """As ``source_log.refusal``: None if the lake may go on. Empty if Kafka or the lake does not answer."""
    try:
        return source_log.refusal(settings)
    except (PinwheelError, DeltaError, OSError) as error:
        log.warning("the topic's log is unknown: %s", error)
        return ""


class Supervisor:
    """One supervisor. Airflow ensures that it is the only one (``max_active_runs=1``); in a race, the lock does."""

    def __init__(self, settings: SuperviseSettings, world: World) -> None:
        self.settings = settings
        self.world = world
        self._path = _path(settings.stream_dir)
        self._state = self._stored = state_of(settings.stream_dir)
        self._latches = {
            alert: Latch(alert, SUBJECT, world.alert, world.resolve, is_open=alert.name in (self._state.alerted or ()))
            for alert in DRIVER_ALERTS
        }
        self._looked_at = 0.0
        self._landed: int | None = None  # at the last look, if there was lag
        self._still_since = 0.0  # when _landed last changed

    def session(self) -> None:
        """Supervise for ``supervise_session_seconds``; the driver keeps running if this returns or dies."""
        if self._state.alerted is None:  # the file was lost, for example by `make stop`: what still is, is raised again
            for alert in DRIVER_ALERTS:
                self.world.resolve(alert, SUBJECT, "the supervision of the stream began anew")
        ends = self.world.clock() + self.settings.supervise_session_seconds
        while self.world.clock() < ends:
            try:
                self.step()
                self._keep(self._state)  # if a full disk did not take it
            except OSError as error:  # such as a full disk: the driver is started as soon as there is space again
                log.warning("trying again: %s", error)
            if self.world.wait(self.settings.supervise_poll_seconds):
                return

    def step(self) -> None:
        """Look once at the driver, then start, watch or stop it."""
        driver = driver_lock.running(self.settings.driver_lock_path)
        wish = self.world.wanted()
        wanted = wish.wanted
        if wanted is Wanted.RUNNING:
            self._keep(replace(self._state, stopped_at=0.0, stopped_by=""))
            self._watch(driver) if driver else self._start_if_due()
            return
        if driver:
            log.info("stopping driver pid=%d wanted=%s", driver.pid, wanted)
            stop(driver, self.settings, self.world)
        for alert in DRIVER_ALERTS:
            self._resolve(alert, f"{wish.by} {'stopped' if wanted is Wanted.STOPPED else 'restarted'} it")
        kept = SupervisorState(restarts=self._state.restarts)  # a person's stop or restart is no failure
        if wanted is Wanted.STOPPED:
            kept = replace(kept, stopped_at=self._state.stopped_at or self.world.clock(), stopped_by=wish.by)
        self._keep(kept)
        if wanted is Wanted.RESTART:
            self.world.restarted()

    def _watch(self, driver: driver_lock.Driver) -> None:
        lived = self.world.clock() - driver.started_at
        if self._state.failures and lived > self.settings.healthy_after_seconds:
            log.info("driver healthy pid=%d seconds=%.0f after failures=%d", driver.pid, lived, self._state.failures)
            self._resolve(DRIVER_FAILING, f"the driver has run for {lived:.0f} s")
            self._keep(replace(self._state, failures=0))
        if self.world.clock() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self.world.clock()
            self._look(driver, lived)

    def _look(self, driver: driver_lock.Driver, lived: float) -> None:
        progress = self.world.progress()
        before, self._landed = self._landed, progress.landed if progress and progress.lag else None
        if progress is None:
            return
        log.info("driver pid=%d lag=%d landed=%d", driver.pid, progress.lag, progress.landed)
        if progress.lag == 0 or before not in (None, progress.landed):
            self._resolve(DRIVER_STALLED, f"the driver lands again; lag of {progress.lag} records")
        if self._landed is None or self._landed != before:
            self._still_since = self.world.clock()
        still = self.world.clock() - self._still_since
        if min(lived, still) > self.settings.stalled_after_seconds:
            allowed = duration(self.settings.stalled_after_seconds)
            message = (
                f"Nothing has landed for {duration(still)}, while {progress.lag:,} records wait; allowed are {allowed}"
                ". The driver is being restarted"
            )
            self._alert(DRIVER_STALLED, message)
            stop(driver, self.settings, self.world)
            self._failed("stalled")

    def _start_if_due(self) -> None:
        if self._launching():
            return
        if self._state.launched_pid:
            self._failed("ended")
        if self.world.clock() < self._state.next_start_at:
            return
        refusal = self.world.refusal()
        if refusal or (refusal == "" and self._latches[STREAM_REFUSED].is_open):
            if refusal:
                self._alert(STREAM_REFUSED, refusal)
            self._keep(replace(self._state, next_start_at=self.world.clock() + LOOK_SECONDS))
            return
        self._resolve(STREAM_REFUSED, "the topic is the lake's log again")
        pid = self.world.launch()
        restarts = self._state.restarts + (1 if self._state.failures else 0)
        log.info("launched driver pid=%d restarts=%d", pid, restarts)
        # If it dies before this is stored, the launched driver takes the lock and is found by it.
        self._keep(replace(self._state, launched_pid=pid, launched_at=self.world.clock(), restarts=restarts))

    def _launching(self) -> bool:
        """Whether a launched driver is alive but has not taken its lock yet; killed after ``START_SECONDS``."""
        if not self._state.launched_pid or not _alive(self._state.launched_pid, self._state.launched_at):
            return False
        if self.world.clock() - self._state.launched_at < START_SECONDS:
            return True
        _signal_group(self._state.launched_pid, signal.SIGKILL)
        return False

    def _failed(self, how: str) -> None:
        failures = self._state.failures + 1
        doubled = self.settings.restart_pause_seconds * 2 ** min(failures - 1, MAX_DOUBLINGS)
        pause = min(doubled, self.settings.restart_max_pause_seconds)
        log.warning("driver %s failures=%d pause=%.0f", how, failures, pause)
        next_start = self.world.clock() + pause
        self._keep(replace(self._state, launched_pid=0, failures=failures, next_start_at=next_start))
        if failures >= self.settings.alert_after_failures and self.world.progress() is not None:
            # Without Kafka or the lake no driver lives: watch_health tells that they don't answer.
            told = f"The driver {how} {failures} times in a row; the next start is in {duration(pause)}"
            self._alert(DRIVER_FAILING, told)

    def _alert(self, alert: Alert, message: str) -> None:
        self._latches[alert].start(message)
        self._keep(self._state)

    def _resolve(self, alert: Alert, message: str) -> None:
        self._latches[alert].end(message)
        self._keep(self._state)

    def _keep(self, state: SupervisorState) -> None:
        """Store the state atomically: a supervisor that dies here leaves the old state or the new one."""
        state = replace(state, alerted=tuple(a.name for a, latch in self._latches.items() if latch.is_open))
        self._state = state
        if state != self._stored:
            atomic.write_text(self._path, json.dumps(asdict(state)))
            self._stored = state


def state_of(stream_dir: Path) -> SupervisorState:
    """The last supervisor's state; a new one if the file is missing or can't be read."""
    path = _path(stream_dir)
    try:
        kept = SupervisorState(**json.loads(path.read_text()))
        return replace(kept, alerted=tuple(kept.alerted or ()))  # JSON has lists
    except FileNotFoundError:
        return SupervisorState()
    except (ValueError, TypeError) as error:
        log.warning("%s can't be read (%s): counting failures from zero", path, error)
        return SupervisorState()


def _path(stream_dir: Path) -> Path:
    return stream_dir / "supervisor.json"


def _alive(pid: int, launched_at: float) -> bool:
    """Whether ``pid`` is still the process launched at that time, not one that reuses its id."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= launched_at + 2
    except psutil.NoSuchProcess:
        return False


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(os.getpgid(pid), number)
    except ProcessLookupError:
        return


def stop(driver: driver_lock.Driver, settings: SuperviseSettings, world: World) -> None:
    """Stop the driver: SIGTERM lets it finish its batch; SIGKILL ``driver_stop_seconds`` later loses nothing either."""
    try:
        os.kill(driver.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    ends = world.clock() + settings.driver_stop_seconds
    while driver_lock.running(settings.driver_lock_path) == driver:
        if world.clock() >= ends:
            log.warning(
                "driver pid=%d did not end on SIGTERM in %.0f s: killing", driver.pid, settings.driver_stop_seconds
            )
            _signal_group(driver.pid, signal.SIGKILL)
        time.sleep(0.2)
