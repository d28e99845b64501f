"""The stack of a campaign: `make run` with empty data, on a small disk of its own and through a proxy."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pinwheel.local import environment
from pinwheel.local.settings import ROOT, LocalSettings
from pinwheel.local.stack import Stack
from tests.support.campaign.network import Network
from tests.support.campaign.plan import SERVERS
from tests.support.campaign.victims import MAKE_RUN
from tests.support.oracle import wait_until
from tests.support.ports import free_ports

PINWHEEL = (sys.executable, "-m", "pinwheel.cli")
POINTS = Path(__file__).parent / "points"
DISK = "6g"  # of memory, and only as much as is written
KEPT_LOGS = ("logs", "airflow/logs", "stream/logs")
ALONE_SECONDS = 5.0  # how long the programs run on without `make run`


class World:
    """A stack that `make run` keeps up."""

    def __init__(self, settings: LocalSettings, network: Network, armed: Path) -> None:
        self.settings, self.network, self.armed = settings, network, armed
        self.stack = Stack(settings)
        self._log = settings.stack_dir / "run.log"
        self._environment = dict(os.environ)  # without what this process adopts later: a run takes over what is its own
        self._run = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            words, environment = (*PINWHEEL, "run"), self._environment
            return subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)

    def keep_running(self, died: Collection[str]) -> None:
        """If `make run` is among those that ``died``: see that the others go on without it, then start it again."""
        with suppress(subprocess.TimeoutExpired):  # a process is not gone at the moment of its SIGKILL
            self._run.wait(2 if MAKE_RUN in died else 0)
        if self._run.returncode is None:
            return
        time.sleep(ALONE_SECONDS)
        assert SERVERS[0] in died or self.stack.owned("kafka").leader(), "the broker died with `make run`"
        self._run = self._begin()

    def wait_until_it_runs(self) -> None:
        """Until it has shown the first rollup."""
        wait_until("it runs", lambda: b"Login" in self._log.read_bytes(), 300)

    def end(self) -> None:
        """End all of it."""
        self._run.terminate()
        self._run.wait(120)
        self.stack.stop()


@contextmanager
def running(name: str) -> Iterator[World]:
    """`make run` with an empty state and free ports, and this process's environment set for it."""
    settings = LocalSettings(stack=name, demo_rate=1, demo_backfill=2000, min_free_gb=1, **free_ports())
    Stack(settings).stop()
    with ExitStack() as kept:
        kept.enter_context(_disk(settings.stack_dir))
        armed = Path(kept.enter_context(TemporaryDirectory(prefix="pinwheel-faults-")))
        servers = (settings.kafka_port, settings.memsql_port, settings.pin_api_port)
        network = Network(dict(zip(SERVERS, servers, strict=True)))
        ports = kept.enter_context(network.running())
        (armed / "ports.json").write_text(json.dumps(ports))
        kept.enter_context(_environment(settings, armed))
        world = World(settings, network, armed)
        kept.callback(world.end)
        world.wait_until_it_runs()
        environment.adopt(settings, world.stack.credentials)
        yield world


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """An empty file system that a fault can fill; what was logged stays when the campaign fails."""
    failed = folder.with_name(f"{folder.name}-failed")
    for old in (folder, failed):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "pinwheel", str(folder))
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        print(f"no disk of its own, so none is filled: {mounted.stderr.strip()}")
    try:
        yield
    except BaseException:
        for logs in KEPT_LOGS:
            shutil.copytree(folder / logs, failed / logs, dirs_exist_ok=True)
        print(f"the logs are in {failed}")
        raise
    finally:
        if not mounted.returncode:
            subprocess.run(("umount", "--lazy", str(folder)), check=True)


@contextmanager
def _environment(settings: LocalSettings, armed: Path) -> Iterator[None]:
    names = ("stack", "demo_rate", "demo_backfill", "min_free_gb")
    told = {f"PINWHEEL_{name.upper()}": getattr(settings, name) for name in names} | settings.port_settings()
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in told.items()})
    os.environ.update({"FAULTS_FOLDER": str(armed), "PYTHONPATH": f"{POINTS}{os.pathsep}{ROOT}"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
