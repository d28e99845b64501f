"""Every check that stops a start says what is wrong and what to do."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.core.errors import LocalError, SettingError
from pinwheel.core.settings import load
from pinwheel.local import checks
from pinwheel.local.checks import RunLock
from pinwheel.local.settings import LocalSettings

HOLD = "import sys, time; from pathlib import Path; from pinwheel.local.checks import RunLock; "
HOLD += "lock = RunLock(Path(sys.argv[1])); lock.acquire(); print('held', flush=True); time.sleep(300)"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_its_setting_and_its_holder(taken: int, tmp_path: Path) -> None:
    settings = load(LocalSettings, state_dir=tmp_path, memsql_port=taken)
    with pytest.raises(LocalError) as caught:
        checks.check_ports(settings)
    message = str(caught.value)
    assert f"port {taken} is taken" in message
    assert "PINWHEEL_MEMSQL_PORT" in message
    assert f"process {os.getpid()}" in message


def test_a_free_port_is_free(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert checks.is_free(free)
    assert not checks.is_free(taken)


def test_too_little_disk_says_how_much_and_which_setting(tmp_path: Path) -> None:
    settings = load(LocalSettings, state_dir=tmp_path, min_free_gb=1e9)
    with pytest.raises(LocalError, match=r"PINWHEEL_MIN_FREE_GB.*PINWHEEL_STATE_DIR"):
        checks.check_disk(settings)


def test_a_second_run_names_the_first(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        try:
            second = RunLock(tmp_path)
            assert second.holder() == first.pid
            with pytest.raises(LocalError, match=f"already being run by process {first.pid}.*make stop"):
                second.acquire()
        finally:
            first.kill()


def test_a_killed_run_frees_its_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
    lock = RunLock(tmp_path)
    assert lock.holder() is None
    lock.acquire()
    assert lock.held
    lock.release()


def test_a_bad_setting_names_itself_its_value_and_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_KAFKA_PORT", "70000")
    with pytest.raises(SettingError, match=r"PINWHEEL_KAFKA_PORT='70000'.*65535"):
        load(LocalSettings)
