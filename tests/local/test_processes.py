"""Only our own processes are ended, and all of them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pinwheel.core.errors import LocalError
from pinwheel.local import processes
from pinwheel.local.processes import Owned, Program

SLEEP = Program("sleeper", ("sleep", "300"), {})
FAMILY = Program("family", ("sh", "-c", "sleep 300 & sleep 300 & wait"), {})
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"


def _eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def stack_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end(processes.marked(tmp_path), 0)


def _started(program: Program, stack_dir: Path) -> Owned:
    owned = Owned(program.name, stack_dir)
    owned.start(program, stack_dir)
    return owned


def test_stop_ends_it(stack_dir: Path) -> None:
    owned = _started(SLEEP, stack_dir)
    leader = owned.leader()
    assert leader is not None
    owned.stop(5)
    assert owned.leader() is None
    assert not leader.is_running() or leader.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaders get less time before their children are signalled too."""
    monkeypatch.setattr(processes, "LEADER_SECONDS", 0.3)


@pytest.mark.usefixtures("hurried")
def test_stop_ends_its_children_too(stack_dir: Path) -> None:
    owned = _started(FAMILY, stack_dir)
    _eventually(lambda: len(owned.members()) == 3)
    owned.stop(5)
    assert processes.marked(stack_dir) == []


@pytest.mark.usefixtures("hurried")
def test_children_of_a_killed_leader_are_still_found_and_ended(stack_dir: Path) -> None:
    owned = _started(FAMILY, stack_dir)
    _eventually(lambda: len(owned.members()) == 3)
    leader = owned.leader()
    assert leader is not None
    leader.kill()
    leader.wait()
    assert len(owned.members()) == 2
    owned.stop(5)
    assert processes.marked(stack_dir) == []


def test_what_ignores_sigterm_is_killed(stack_dir: Path) -> None:
    owned = _started(Program("deaf", (sys.executable, "-c", STUBBORN), {}), stack_dir)
    _eventually(lambda: "deaf" in owned.last_lines())
    owned.stop(0.3)
    assert processes.marked(stack_dir) == []


def test_starting_again_ends_what_an_earlier_run_left(stack_dir: Path) -> None:
    earlier = _started(SLEEP, stack_dir).leader()
    again = _started(SLEEP, stack_dir).leader()
    assert earlier is not None
    assert again is not None
    assert earlier.pid != again.pid
    assert processes.marked(stack_dir) == [again]


def test_it_runs_while_it_lives_and_would_be_started_just_so(
    stack_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = Owned(SLEEP.name, stack_dir)
    assert not owned.runs(SLEEP)
    owned.start(SLEEP, stack_dir)
    assert owned.runs(SLEEP)
    assert not owned.runs(replace(SLEEP, command=("sleep", "299")))
    assert not owned.runs(replace(SLEEP, environment={"PINWHEEL_TOPIC": "another"}))
    assert owned.runs(replace(SLEEP, environment={"TERM": "dumb"})), "nothing of ours"
    (tmp_path / "newer.py").touch()
    with monkeypatch.context() as patch:
        patch.setattr(processes, "CODE", (*processes.CODE, str(tmp_path)))
        assert not owned.runs(SLEEP), "the code was changed"
    owned.kill()
    assert not owned.runs(SLEEP)


def test_a_recycled_pid_is_never_ended(stack_dir: Path) -> None:
    """The pid file names a process that started at another time, so it is no longer ours."""
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as stranger:
        pid_path = stack_dir / "pids" / "sleeper.json"
        pid_path.parent.mkdir()
        pid_path.write_text(json.dumps({"pid": stranger.pid, "started_at": time.time() - 3600}))
        owned = Owned("sleeper", stack_dir)
        assert owned.leader() is None
        assert owned.members() == []
        owned.stop(1)
        owned.kill()
        assert stranger.poll() is None
        stranger.kill()


def test_another_stacks_processes_are_left_alone(stack_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    theirs = _started(SLEEP, other)
    try:
        processes.end(processes.marked(stack_dir), 1)
        assert theirs.leader() is not None
    finally:
        theirs.stop(1)


def test_a_process_that_dies_while_waited_for_shows_its_last_words(stack_dir: Path) -> None:
    owned = _started(Program("talker", ("sh", "-c", "echo no such table; exit 3"), {}), stack_dir)
    with pytest.raises(LocalError, match=r"(?s)talker ended while starting.*no such table"):
        processes.wait_until("it", lambda: False, [owned], seconds=5, say=lambda _: None)


def test_waiting_has_an_end(stack_dir: Path) -> None:
    owned = _started(SLEEP, stack_dir)
    with pytest.raises(LocalError, match="still waiting for the moon after PINWHEEL_START_SECONDS"):
        processes.wait_until("the moon", lambda: False, [owned], seconds=0.1, say=lambda _: None)
