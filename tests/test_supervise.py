"""The supervisor: one driver, brought back with growing pauses, watched from outside; people are told once."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from pinwheel import driver, kafka, lake
from pinwheel.alerts import DRIVER_FAILING, DRIVER_STALLED, Alert
from pinwheel.settings import SuperviseSettings
from pinwheel.supervise import START_SECONDS, SUBJECT, Progress, Supervisor, Wanted, World, progress

NO_PID = 2**22 + 1  # above the kernel's highest: what was launched has ended
FAILING, STALLED = DRIVER_FAILING.name, DRIVER_STALLED.name
HOLD = """
import signal, sys, time
from pathlib import Path
from pinwheel import driver
time.time = lambda: float(sys.argv[2])
if sys.argv[3] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = driver.hold_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> SuperviseSettings:
    return SuperviseSettings(
        driver_lock_path=tmp_path / "driver.lock",
        stream_dir=tmp_path / "stream",
        lake_uri=str(tmp_path / "lake"),
        topic="events",
        kafka_bootstrap="127.0.0.1:1",
        supervise_session_seconds=3600,
        supervise_poll_seconds=2,
        restart_pause_seconds=1,
        restart_max_pause_seconds=300,
        healthy_after_seconds=120,
        alert_after_failures=3,
        stalled_after_seconds=180,
        driver_stop_seconds=30,
    )


@dataclass
class FakeWorld:
    """A world whose clock moves only when somebody waits, and whose drivers end at once unless said otherwise."""

    start: Callable[[], int] = lambda: NO_PID
    wants: Wanted = Wanted.RUNNING
    seen: Progress | None = None
    stopping: bool = False
    launches: list[int] = field(default_factory=list)
    alerts: list[tuple[str, str]] = field(default_factory=list)
    resolved: list[tuple[str, str]] = field(default_factory=list)
    restarts_done: int = 0
    now: int = field(default_factory=lambda: math.ceil(time.time()))  # not before the processes that it launches

    def launch(self) -> int:
        self.launches.append(self.now)
        return self.start()

    def wait(self, seconds: float) -> bool:
        self.now += round(seconds)
        return self.stopping

    def restarted(self) -> None:
        self.restarts_done += 1
        self.wants = Wanted.RUNNING

    def alert(self, alert: Alert, subject: str, message: str) -> None:
        assert subject == SUBJECT
        self.alerts.append((alert.name, message))

    def resolve(self, alert: Alert, subject: str, message: str) -> None:
        assert subject == SUBJECT
        self.resolved.append((alert.name, message))

    def as_world(self) -> World:
        return World(
            launch=self.launch,
            wanted=lambda: self.wants,
            restarted=self.restarted,
            progress=lambda: self.seen,
            alert=self.alert,
            resolve=self.resolve,
            clock=lambda: self.now,
            wait=self.wait,
        )


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


class Drivers:
    """Processes that play the driver, in the world's time."""

    def __init__(self, lock: Path, world: FakeWorld) -> None:
        self.lock = lock
        self.world = world
        self.all: list[subprocess.Popen[bytes]] = []

    def holder(self, how: str = "") -> subprocess.Popen[bytes]:
        """One that has the lock."""
        made = self._start([sys.executable, "-c", HOLD, str(self.lock), str(self.world.now), how])
        assert made.stdout is not None
        assert made.stdout.readline() == b"held\n"
        return made

    def sleeper(self) -> subprocess.Popen[bytes]:
        """One that never takes it."""
        return self._start(["sleep", "60"])

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        self.all.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
        return self.all[-1]


@pytest.fixture
def drivers(settings: SuperviseSettings, world: FakeWorld) -> Iterator[Drivers]:
    made = Drivers(settings.driver_lock_path, world)
    yield made
    for process in made.all:
        process.kill()
        process.communicate()


@pytest.fixture
def supervisor(settings: SuperviseSettings, world: FakeWorld) -> Supervisor:
    return Supervisor(settings, world.as_world())


def run(supervisor: Supervisor, world: FakeWorld, seconds: float) -> None:
    """Step as a session does, for so long."""
    ends = world.now + seconds
    while world.now < ends:
        supervisor.step()
        world.wait(supervisor.settings.supervise_poll_seconds)


def names(told: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in told]


def kept(settings: SuperviseSettings) -> dict[str, Any]:
    return dict(json.loads((settings.stream_dir / "supervisor.json").read_text()))


def keep(settings: SuperviseSettings, text: str) -> None:
    settings.stream_dir.mkdir()
    (settings.stream_dir / "supervisor.json").write_text(text)


class TestStarting:
    def test_what_does_not_run_is_started_at_once(self, supervisor, world) -> None:
        supervisor.step()
        assert len(world.launches) == 1

    def test_what_runs_is_left_alone(self, supervisor, world, settings, drivers) -> None:
        holder = drivers.holder()
        run(supervisor, world, 3600)
        assert world.launches == []
        assert holder.poll() is None
        assert (world.alerts, world.resolved) == ([], [])

    def test_what_runs_is_found_by_another_supervisor(self, supervisor, world, settings, drivers) -> None:
        world.start = lambda: drivers.holder().pid
        supervisor.step()
        run(Supervisor(settings, world.as_world()), world, 3600)
        assert len(world.launches) == 1

    def test_one_on_its_way_is_waited_for(self, supervisor, world, settings, drivers) -> None:
        world.start = lambda: drivers.sleeper().pid
        run(supervisor, world, START_SECONDS / 2)
        run(Supervisor(settings, world.as_world()), world, START_SECONDS / 2 - 10)
        assert len(world.launches) == 1

    def test_one_that_never_comes_is_killed_and_is_a_failure(self, supervisor, world, settings, drivers) -> None:
        world.start = lambda: drivers.sleeper().pid
        run(supervisor, world, 4 * (START_SECONDS + 10))
        *late, last = drivers.all
        assert [process.wait(5) for process in late] == [-signal.SIGKILL] * len(late)
        assert last.poll() is None
        assert kept(settings)["failures"] == len(late) >= 3
        pauses = [b - a - START_SECONDS for a, b in pairwise(world.launches)]
        assert pauses == sorted(pauses)
        assert pauses[2] >= 4
        assert names(world.alerts) == [FAILING]


class TestPauses:
    def test_they_grow_up_to_the_longest_and_starts_stay_few(self, supervisor, world) -> None:
        supervisor.session()  # one hour
        gaps = [b - a for a, b in pairwise(world.launches)]
        assert 15 <= len(world.launches) <= 25
        assert gaps == sorted(gaps)
        assert gaps[-1] == 302, "the longest pause, and a poll until the end was seen"

    def test_people_are_told_once_after_so_many_failures(self, supervisor, world, settings) -> None:
        supervisor.session()
        ((name, message),) = world.alerts
        assert name == FAILING
        assert "3 times in a row" in message
        assert str(settings.stream_dir / "driver.log") in message

    def test_fewer_failures_are_nobody_s_business(self, supervisor, world, drivers) -> None:
        starts = iter([lambda: NO_PID, lambda: NO_PID, lambda: drivers.holder().pid])
        world.start = lambda: next(starts)()
        run(supervisor, world, 600)
        assert len(world.launches) == 3
        assert (world.alerts, world.resolved) == ([], [])

    def test_days_of_failures_do_not_break_the_pause(self, world, settings) -> None:
        keep(settings, json.dumps({"launched_pid": NO_PID, "failures": 5000, "alerted": [FAILING]}))
        Supervisor(settings, world.as_world()).step()
        assert kept(settings)["failures"] == 5001
        assert kept(settings)["next_start_at"] == world.now + 300

    def test_a_driver_that_lives_ends_the_alert_once_and_the_pauses(self, supervisor, world, drivers) -> None:
        run(supervisor, world, 60)
        world.start = lambda: drivers.holder().pid
        run(supervisor, world, 60)
        assert world.resolved == [], "not healthy yet"
        run(supervisor, world, 600)
        assert names(world.resolved) == [FAILING]

        world.start = lambda: NO_PID
        drivers.all[-1].kill()
        drivers.all[-1].wait()
        before = len(world.launches)
        run(supervisor, world, 30)
        assert len(world.launches) - before >= 3, "the pauses did not start anew"
        assert names(world.alerts) == [FAILING, FAILING]


class TestState:
    def test_failures_are_counted_on(self, supervisor, world, settings) -> None:
        while kept_failures(settings) < 2:
            run(supervisor, world, 2)
        assert world.alerts == []
        run(Supervisor(settings, world.as_world()), world, 10)
        assert names(world.alerts) == [FAILING]

    def test_the_pause_goes_on(self, supervisor, world, settings) -> None:
        run(supervisor, world, 600)
        before = len(world.launches)
        run(Supervisor(settings, world.as_world()), world, 30)
        assert len(world.launches) - before <= 1

    def test_an_alert_is_not_raised_anew_and_still_ends(self, supervisor, world, settings, drivers) -> None:
        run(supervisor, world, 60)
        run(Supervisor(settings, world.as_world()), world, 300)
        assert names(world.alerts) == [FAILING]
        drivers.holder()
        run(Supervisor(settings, world.as_world()), world, 300)
        run(Supervisor(settings, world.as_world()), world, 300)
        assert names(world.resolved) == [FAILING]

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', '{"alerted": true}', "\0"])
    def test_a_broken_file_counts_from_zero(self, world, settings, text) -> None:
        keep(settings, text)
        supervisor = Supervisor(settings, world.as_world())
        supervisor.step()
        assert len(world.launches) == 1
        assert kept(settings)["failures"] == 0


def kept_failures(settings: SuperviseSettings) -> int:
    path = settings.stream_dir / "supervisor.json"
    return int(kept(settings)["failures"]) if path.exists() else 0


class TestStalls:
    def stall(self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers) -> None:
        """A driver runs and lands nothing of what there is; the one that comes after it holds the lock, too."""
        world.start = lambda: drivers.holder().pid
        world.seen = Progress(lag=5, landed=100)
        run(supervisor, world, 220)

    def test_a_stalled_driver_is_restarted_and_people_are_told(self, supervisor, world, drivers) -> None:
        self.stall(supervisor, world, drivers)
        first, second = drivers.all
        assert first.wait(5) == -signal.SIGTERM
        assert second.poll() is None
        ((name, message),) = world.alerts
        assert name == STALLED
        assert "lag of 5 records" in message
        assert world.resolved == []

    def test_it_is_not_stalled_before_its_time(self, supervisor, world, drivers) -> None:
        holder = drivers.holder()
        world.seen = Progress(lag=5, landed=100)
        run(supervisor, world, 170)
        assert holder.poll() is None
        assert world.alerts == []

    @pytest.mark.parametrize("seen", [Progress(lag=900, landed=103), Progress(lag=0, landed=100)], ids=str)
    def test_it_is_over_when_a_driver_lands_again_or_has_landed_all(
        self, supervisor, world, settings, drivers, seen
    ) -> None:
        self.stall(supervisor, world, drivers)
        another = Supervisor(settings, world.as_world())
        run(another, world, 30)
        assert world.resolved == [], "nothing has landed yet"
        world.seen = seen
        run(another, world, 60)
        assert names(world.resolved) == [STALLED]

    def test_one_that_stalls_again_is_restarted_but_not_told_again(self, supervisor, world, drivers) -> None:
        self.stall(supervisor, world, drivers)
        run(supervisor, world, 220)
        assert len(drivers.all) == 3
        assert names(world.alerts) == [STALLED]

    def test_slow_is_not_stalled(self, supervisor, world, drivers) -> None:
        holder = drivers.holder()
        for landed in range(30):
            world.seen = Progress(lag=1_000_000 + landed, landed=landed)
            run(supervisor, world, 120)
        assert holder.poll() is None
        assert world.alerts == []

    def test_nothing_to_do_is_not_stalled(self, supervisor, world, drivers) -> None:
        holder = drivers.holder()
        world.seen = Progress(lag=0, landed=100)
        run(supervisor, world, 3600)
        world.seen = Progress(lag=7, landed=100)
        run(supervisor, world, 60)
        assert holder.poll() is None
        assert world.alerts == []

    def test_without_kafka_nothing_is_done_and_nothing_held_against_the_driver(
        self, supervisor, world, drivers
    ) -> None:
        holder = drivers.holder()
        world.seen = Progress(lag=7, landed=100)
        run(supervisor, world, 60)
        world.seen = None
        run(supervisor, world, 3600)
        world.seen = Progress(lag=7, landed=100)
        run(supervisor, world, 120)
        assert holder.poll() is None
        assert (world.alerts, world.launches) == ([], [])


class TestPeople:
    def test_a_stop_ends_the_driver_and_keeps_it_ended(self, supervisor, world, settings, drivers) -> None:
        holder = drivers.holder()
        supervisor.step()
        world.wants = Wanted.STOPPED
        run(supervisor, world, 600)
        assert holder.wait(5) == -signal.SIGTERM
        assert driver.running(settings.driver_lock_path) is None
        assert (world.launches, world.alerts) == ([], [])

    def test_a_driver_that_does_not_end_is_killed(self, world, settings, drivers) -> None:
        holder = drivers.holder("deaf")
        world.wants = Wanted.STOPPED
        real = replace(world.as_world(), clock=time.time)
        Supervisor(settings.model_copy(update={"driver_stop_seconds": 0.1}), real).step()
        assert holder.wait(5) == -signal.SIGKILL

    def test_a_restart_is_done_once(self, supervisor, world, drivers) -> None:
        world.start = lambda: drivers.holder().pid
        supervisor.step()
        world.wants = Wanted.RESTART
        run(supervisor, world, 600)
        first, second = drivers.all
        assert first.wait(5) == -signal.SIGTERM
        assert second.poll() is None
        assert world.restarts_done == 1

    def test_a_restart_waits_for_no_pause(self, supervisor, world, settings) -> None:
        run(supervisor, world, 600)
        before = len(world.launches)
        world.wants = Wanted.RESTART
        supervisor.step()
        supervisor.step()
        assert len(world.launches) == before + 1
        assert kept(settings)["failures"] == 0

    @pytest.mark.parametrize(("wants", "did"), [(Wanted.STOPPED, "stopped"), (Wanted.RESTART, "restarted")])
    def test_it_ends_the_alerts_and_says_who_did(self, world, settings, wants, did) -> None:
        keep(settings, json.dumps({"failures": 9, "alerted": [FAILING, STALLED]}))
        supervisor = Supervisor(settings, world.as_world())
        world.wants = wants
        supervisor.step()
        supervisor.step()
        assert sorted(world.resolved) == [(FAILING, f"a person {did} it"), (STALLED, f"a person {did} it")]
        assert kept(settings)["alerted"] == []

    def test_a_stop_without_alerts_tells_nobody(self, supervisor, world) -> None:
        world.wants = Wanted.STOPPED
        run(supervisor, world, 60)
        assert (world.alerts, world.resolved) == ([], [])


class TestSession:
    def test_told_to_stop_it_ends_and_leaves_the_driver(self, supervisor, world, settings, drivers) -> None:
        holder = drivers.holder()
        world.stopping = True
        before = world.now
        supervisor.session()
        assert world.now - before == settings.supervise_poll_seconds
        assert holder.poll() is None
        assert driver.running(settings.driver_lock_path) is not None

    def test_it_ends_by_itself_and_leaves_the_driver(self, supervisor, world, settings, drivers) -> None:
        holder = drivers.holder()
        before = world.now
        supervisor.session()
        assert world.now - before == settings.supervise_session_seconds
        assert holder.poll() is None


class FakeBroker:
    """Holds [start, end) of each partition, and knows who is connected."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, int]] = {}
        self.consumers = self.open = 0

    def consumer(self, options: dict[str, Any]) -> "FakeBroker":
        self.consumers += 1
        self.open += 1
        return self

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=self.held)})

    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
        return self.held[partition.partition]

    def close(self) -> None:
        self.open -= 1


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    made = FakeBroker()
    monkeypatch.setattr(kafka, "Consumer", made.consumer)
    return made


def land(settings: SuperviseSettings, ends: dict[int, int]) -> None:
    """A commit to the lake that says how far each partition has come."""
    lake.create_tables(settings.events_uri, settings.pins_uri)
    marks = [Transaction(lake.app_id(settings.topic, partition), end) for partition, end in ends.items()]
    write_deltalake(
        settings.events_uri,
        lake.arrow_schema().empty_table(),
        mode="append",
        commit_properties=CommitProperties(app_transactions=marks),
    )


class TestProgress:
    def test_lag_is_what_kafka_holds_and_the_lake_does_not(self, settings, broker) -> None:
        broker.held = {0: (0, 50), 1: (10, 30)}
        land(settings, {0: 45, 1: 30})
        assert progress(settings) == Progress(lag=5, landed=75)

    def test_what_expired_before_it_could_land_is_no_lag(self, settings, broker) -> None:
        broker.held = {0: (1_000_000, 1_000_007), 1: (0, 3)}
        assert progress(settings) == Progress(lag=10, landed=0), "no lake yet"
        land(settings, {1: 3})
        assert progress(settings) == Progress(lag=7, landed=3)

    def test_other_commits_to_the_lake_are_no_landing(self, settings, broker) -> None:
        broker.held = {0: (0, 50)}
        land(settings, {0: 45})
        before = progress(settings)
        land(settings, {})
        assert progress(settings) == before

    def test_kafka_is_asked_through_one_consumer_that_is_closed(self, settings, broker) -> None:
        broker.held = {p: (0, 1) for p in range(6)}
        assert kafka.held_offsets(settings) == {p: kafka.Held(0, 1) for p in range(6)}
        assert (broker.consumers, broker.open) == (1, 0)
        assert kafka.end_offsets(settings) == dict.fromkeys(range(6), 1)
        assert kafka.partitions(settings) == list(range(6))
        assert (broker.consumers, broker.open) == (3, 0)

    def test_a_broker_that_does_not_answer_is_no_progress(self, settings, monkeypatch, caplog) -> None:
        monkeypatch.setattr(kafka, "REQUEST_SECONDS", 0.1)
        assert progress(settings) is None
        assert "PINWHEEL_KAFKA_BOOTSTRAP=127.0.0.1:1" in caplog.text
