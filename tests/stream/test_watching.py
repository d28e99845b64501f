"""The supervisor's decisions, from its observations and people's requests."""

import json
import signal
import time
from dataclasses import replace

import pytest

from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import SuperviseSettings
from pinwheel.stream import driver_lock
from pinwheel.stream.supervisor import StreamProgress, Supervisor
from pinwheel.stream.wish import Wanted, Wish
from tests.support.worlds import FAILING, STALLED, Drivers, FakeWorld, keep, kept, names, run


class TestStalls:
    def stall(self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers) -> None:
        """A driver runs and lands none of the waiting records; its successor holds the lock too."""
        world.start = lambda: drivers.holder().pid
        world.seen = StreamProgress(lag=5, landed=100)
        run(supervisor, world, 220)

    def test_a_stalled_driver_is_restarted_and_people_are_told(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
        self.stall(supervisor, world, drivers)
        first, second = drivers.all
        assert first.wait(5) == -signal.SIGTERM
        assert second.poll() is None
        ((name, message),) = world.alerts
        assert name == STALLED
        assert "while 5 records wait; allowed are 3 min" in message
        assert world.resolved == []

    def test_it_is_not_stalled_before_its_time(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        world.seen = StreamProgress(lag=5, landed=100)
        run(supervisor, world, 170)
        assert holder.poll() is None
        assert world.alerts == []

    @pytest.mark.parametrize("seen", [StreamProgress(lag=900, landed=103), StreamProgress(lag=0, landed=100)], ids=str)
    def test_it_is_over_when_a_driver_lands_again_or_has_landed_all(
        self,
        supervisor: Supervisor,
        world: FakeWorld,
        settings: SuperviseSettings,
        drivers: Drivers,
        seen: StreamProgress,
    ) -> None:
        self.stall(supervisor, world, drivers)
        another = Supervisor(settings, world.as_world())
        run(another, world, 30)
        assert world.resolved == [], "nothing has landed yet"
        world.seen = seen
        run(another, world, 60)
        assert names(world.resolved) == [STALLED]

    def test_one_that_stalls_again_is_restarted_but_not_told_again(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
        self.stall(supervisor, world, drivers)
        run(supervisor, world, 220)
        assert len(drivers.all) == 3
        assert names(world.alerts) == [STALLED]

    def test_slow_is_not_stalled(self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers) -> None:
        holder = drivers.holder()
        for landed in range(30):
            world.seen = StreamProgress(lag=1_000_000 + landed, landed=landed)
            run(supervisor, world, 120)
        assert holder.poll() is None
        assert world.alerts == []

    def test_nothing_to_do_is_not_stalled(self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers) -> None:
        holder = drivers.holder()
        world.seen = StreamProgress(lag=0, landed=100)
        run(supervisor, world, 3600)
        world.seen = StreamProgress(lag=7, landed=100)
        run(supervisor, world, 60)
        assert holder.poll() is None
        assert world.alerts == []

    def test_without_kafka_nothing_is_done_and_nothing_held_against_the_driver(
        self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        world.seen = StreamProgress(lag=7, landed=100)
        run(supervisor, world, 60)
        world.seen = None
        run(supervisor, world, 3600)
        world.seen = StreamProgress(lag=7, landed=100)
        run(supervisor, world, 120)
        assert holder.poll() is None
        assert (world.alerts, world.launches) == ([], [])


class TestPeople:
    def test_a_stop_ends_the_driver_and_keeps_it_ended(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        supervisor.step()
        world.wants = Wanted.STOPPED
        run(supervisor, world, 600)
        assert holder.wait(5) == -signal.SIGTERM
        assert driver_lock.running(settings.driver_lock_path) is None
        assert (world.launches, world.alerts) == ([], [])

    def test_who_stopped_it_and_when_is_kept_until_it_runs_again(
        self, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        world.wants, stopped_at = Wanted.STOPPED, world.now
        for _ in range(3):  # also by the next supervisor
            run(Supervisor(settings, world.as_world()), world, 60)
        assert (kept(settings)["stopped_by"], kept(settings)["stopped_at"]) == ("ann", stopped_at)
        world.wants, world.start = Wanted.RUNNING, lambda: drivers.sleeper().pid
        Supervisor(settings, world.as_world()).step()
        assert (kept(settings)["stopped_by"], kept(settings)["stopped_at"]) == ("", 0)

    def test_a_driver_that_does_not_end_is_killed(
        self, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        holder = drivers.holder("deaf")
        world.wants = Wanted.STOPPED
        real = replace(world.as_world(), clock=time.time)
        Supervisor(settings.model_copy(update={"driver_stop_seconds": 0.1}), real).step()
        assert holder.wait(5) == -signal.SIGKILL

    def test_a_restart_is_done_once(self, supervisor: Supervisor, world: FakeWorld, drivers: Drivers) -> None:
        world.start = lambda: drivers.holder().pid
        supervisor.step()
        world.wants = Wanted.RESTART
        run(supervisor, world, 600)
        first, second = drivers.all
        assert first.wait(5) == -signal.SIGTERM
        assert second.poll() is None
        assert world.restarts_done == 1

    def test_a_restart_waits_for_no_pause(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings
    ) -> None:
        run(supervisor, world, 600)
        before = len(world.launches)
        world.wants = Wanted.RESTART
        supervisor.step()
        supervisor.step()
        assert len(world.launches) == before + 1
        assert kept(settings)["failures"] == 0

    @pytest.mark.parametrize(("wants", "did"), [(Wanted.STOPPED, "stopped"), (Wanted.RESTART, "restarted")])
    def test_it_ends_the_alerts_and_says_who_did(
        self, world: FakeWorld, settings: SuperviseSettings, wants: Wanted, did: str
    ) -> None:
        keep(settings, json.dumps({"failures": 9, "alerted": [FAILING, STALLED]}))
        supervisor = Supervisor(settings, world.as_world())
        world.wants = wants
        supervisor.step()
        supervisor.step()
        assert sorted(world.resolved) == [(FAILING, f"ann {did} it"), (STALLED, f"ann {did} it")]
        assert kept(settings)["alerted"] == []

    def test_a_stop_without_alerts_tells_nobody(self, supervisor: Supervisor, world: FakeWorld) -> None:
        world.wants = Wanted.STOPPED
        run(supervisor, world, 60)
        assert (world.alerts, world.resolved) == ([], [])


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("running", Wish(Wanted.RUNNING)),
        (" stopped ", Wish(Wanted.STOPPED)),
        ("stopped by ann", Wish(Wanted.STOPPED, "ann")),
        ("restart by by by", Wish(Wanted.RESTART, "by by")),
        ("stopped by  ", Wish(Wanted.STOPPED)),
    ],
)
def test_a_wish_is_read_as_people_and_control_stream_write_it(text: str, wish: Wish) -> None:
    assert Wish.of(text) == wish
    assert Wish.of(str(wish)) == wish


@pytest.mark.parametrize("text", ["", "off", "stoppedby ann", "by ann"])
def test_a_wish_that_is_none_is_refused_plainly(text: str) -> None:
    with pytest.raises(PinwheelError, match=f"is '{text}'; it must be one of running, stopped, restart"):
        Wish.of(text)


class TestSession:
    def test_told_to_stop_it_ends_and_leaves_the_driver(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        world.stopping = True
        before = world.now
        supervisor.session()
        assert world.now - before == settings.supervise_poll_seconds
        assert holder.poll() is None
        assert driver_lock.running(settings.driver_lock_path) is not None

    def test_it_ends_by_itself_and_leaves_the_driver(
        self, supervisor: Supervisor, world: FakeWorld, settings: SuperviseSettings, drivers: Drivers
    ) -> None:
        holder = drivers.holder()
        before = world.now
        supervisor.session()
        assert world.now - before == settings.supervise_session_seconds
        assert holder.poll() is None
