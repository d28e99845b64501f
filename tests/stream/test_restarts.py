"""One driver, restarted with growing pauses, also by the next supervisor; one alert per fault."""

import errno
import json
import signal
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pinwheel.core import atomic
from pinwheel.core.settings import SuperviseSettings
from pinwheel.stream.supervisor import START_SECONDS, StreamProgress, Supervisor
from tests.support.worlds import FAILING, NO_PID, STALLED, Drivers, FakeWorld, keep, kept, names, run


class TestStarting:
    def test_what_does_not_run_is_started_at_once(self, supervisor: Supervisor, world: FakeWorld) -> None:
        supervisor.step()
        assert len(world.launches) == 1

    def test_what_runs_is_left_alone(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        run(supervisor, world, 3600)
        assert world.launches == []
        assert holder.poll() is None
        assert (world.alerts, world.resolved) == ([], [])

    def test_what_runs_is_found_by_another_supervisor(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        world.start = lambda: drivers.holder().pid
        supervisor.step()
        run(Supervisor(settings, world.as_world()), world, 3600)
        assert len(world.launches) == 1

    def test_one_on_its_way_is_waited_for(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        world.start = lambda: drivers.sleeper().pid
        run(supervisor, world, START_SECONDS / 2)
        run(Supervisor(settings, world.as_world()), world, START_SECONDS / 2 - 10)
        assert len(world.launches) == 1

    def test_one_that_never_comes_is_killed_and_is_a_failure(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
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


class TestAnotherLog:
    def test_no_driver_is_started_until_it_is_the_lake_s_again(self, supervisor: Supervisor, world: FakeWorld) -> None:
        world.refusal = "the topic is another log"
        run(supervisor, world, 600)
        assert (world.launches, world.alerts) == ([], [("stream_refused", "the topic is another log")])
        world.refusal = ""  # Kafka does not answer: that ends no alert
        run(supervisor, world, 600)
        assert (world.launches, world.resolved) == ([], [])
        world.refusal = None
        run(supervisor, world, 60)
        assert world.launches
        assert world.resolved == [("stream_refused", "the topic is the lake's log again")]

    def test_a_kafka_that_does_not_answer_keeps_no_driver_from_starting(
        self, supervisor: Supervisor, world: FakeWorld
    ) -> None:
        world.refusal = ""
        supervisor.step()
        assert len(world.launches) == 1


class TestPauses:
    def test_they_grow_up_to_the_longest_and_starts_stay_few(self, supervisor: Supervisor, world: FakeWorld) -> None:
        supervisor.session()  # one hour
        gaps = [b - a for a, b in pairwise(world.launches)]
        assert 15 <= len(world.launches) <= 25
        assert gaps == sorted(gaps)
        assert gaps[-1] == 302, "the longest pause, and a poll until the end was seen"

    def test_people_are_told_once_after_so_many_failures(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings
    ) -> None:
        supervisor.session()
        ((name, message),) = world.alerts
        assert name == FAILING
        assert "3 times in a row" in message
        assert str(settings.stream_dir) not in message

    def test_after_its_file_was_lost_no_alert_stays_open(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings
    ) -> None:
        """`make stop` removes it, for example; an open alert would explain what else is late for ever."""
        supervisor.session()
        assert {FAILING, STALLED} <= set(names(world.resolved))
        world.resolved.clear()
        Supervisor(settings, world.as_world()).session()
        assert STALLED not in names(world.resolved), "the file is there"

    def test_while_kafka_or_the_lake_is_away_that_alone_is_told(self, supervisor: Supervisor, world: FakeWorld) -> None:
        world.seen = None
        run(supervisor, world, 600)
        assert (len(world.launches) > 3, world.alerts) == (True, [])
        world.seen = StreamProgress(lag=1, landed=1)
        run(supervisor, world, 600)
        assert names(world.alerts) == [FAILING]

    def test_fewer_failures_are_nobody_s_business(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
        starts: Iterator[Callable[[], int]] = iter([lambda: NO_PID, lambda: NO_PID, lambda: drivers.holder().pid])
        world.start = lambda: next(starts)()
        run(supervisor, world, 600)
        assert len(world.launches) == 3
        assert (world.alerts, world.resolved) == ([], [])

    def test_days_of_failures_do_not_break_the_pause(self, world: FakeWorld, settings: SuperviseSettings) -> None:
        keep(settings, json.dumps({"launched_pid": NO_PID, "failures": 5000, "alerted": [FAILING]}))
        Supervisor(settings, world.as_world()).step()
        assert kept(settings)["failures"] == 5001
        assert kept(settings)["next_start_at"] == world.now + 300

    def test_a_driver_that_lives_ends_the_alert_once_and_the_pauses(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
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
    def test_failures_are_counted_on(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings
    ) -> None:
        while kept_failures(settings) < 2:
            run(supervisor, world, 2)
        assert world.alerts == []
        run(Supervisor(settings, world.as_world()), world, 10)
        assert names(world.alerts) == [FAILING]

    def test_the_pause_goes_on(self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings) -> None:
        run(supervisor, world, 600)
        before = len(world.launches)
        run(Supervisor(settings, world.as_world()), world, 30)
        assert len(world.launches) - before <= 1

    def test_an_alert_is_not_raised_anew_and_still_ends(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        run(supervisor, world, 60)
        run(Supervisor(settings, world.as_world()), world, 300)
        assert names(world.alerts) == [FAILING]
        drivers.holder()
        run(Supervisor(settings, world.as_world()), world, 300)
        run(Supervisor(settings, world.as_world()), world, 300)
        assert names(world.resolved) == [FAILING]

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', '{"alerted": true}', "\0"])
    def test_a_broken_file_counts_from_zero(self, world: FakeWorld, settings: SuperviseSettings, text: str) -> None:
        keep(settings, text)
        supervisor = Supervisor(settings, world.as_world())
        supervisor.step()
        assert len(world.launches) == 1
        assert kept(settings)["failures"] == 0

    def test_a_full_disk_ends_no_session(
        self,
        supervisor: Supervisor,
        world: FakeWorld,
        settings: SuperviseSettings,
        drivers: Drivers,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        written, full_until = atomic.write_text, world.now + 60

        def write_text(path: Path, text: str) -> None:
            if world.now < full_until:
                raise OSError(errno.ENOSPC, "No space left on device")
            written(path, text)

        monkeypatch.setattr(atomic, "write_text", write_text)
        world.start = lambda: drivers.holder().pid
        supervisor.settings = settings.model_copy(update={"supervise_session_seconds": 100})
        supervisor.session()
        assert len(world.launches) == 1
        assert kept(settings)["launched_pid"] == drivers.all[0].pid


def kept_failures(settings: SuperviseSettings) -> int:
    path = settings.stream_dir / "supervisor.json"
    return int(kept(settings)["failures"]) if path.exists() else 0
