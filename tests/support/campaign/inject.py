"""How each fault is made to happen."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from pinwheel.local.stack import Stack
from tests.support.campaign import clock, plan, victims
from tests.support.campaign.network import Network
from tests.support.campaign.plan import AHEAD_SECONDS, CHECKPOINTS, LIARS, LOST, PIN_API, Fault
from tests.support.liars import HEAD, answering, bomb, drips, floods, says
from tests.support.programs import LAUNCH

REACHED_SECONDS = 15.0  # then a step that no program has come to is left out
BALLAST_BYTES = (2**26, 2**20, 2**12)  # others write meanwhile, so what is free is found by taking it
REFUSED_SECONDS = 90.0  # in which a second driver must have seen the first one

OTHERS = [{"pin_id": -n, "creator_id": 2, "board_id": 3, "title": "another"} for n in range(1, 50)]
LIES = [  # of LIARS, in their order
    says(json.dumps({"pins": [], "unknown": list(range(100_000))}).encode()),
    says(json.dumps({"pins": OTHERS, "unknown": []}).encode()),
    drips(HEAD + b"\r\n"),
    says(bomb(900), b"content-encoding: gzip"),
    floods(HEAD + b"\r\n"),
    says(b"[" * 100_000),
]


class Injector:
    """Makes the faults of one stack happen."""

    def __init__(self, stack: Stack, network: Network, armed: Path, seed: int) -> None:
        self.stack, self.network, self.armed, self.seed = stack, network, armed, seed
        self.checkpoint = stack.settings.stack_dir / "checkpoints" / "stream_engagement"
        self.older = stack.settings.stack_dir / "older-checkpoint"
        self._ways: dict[str, Callable[[Fault], float]] = {
            plan.DIES: self._die,
            plan.HANGS: self._hang,
            plan.SLOW: lambda fault: self._last(fault, lambda on: self.network.slow(fault.victims[0], on)),
            plan.CUT: lambda fault: self._last(fault, lambda on: self.network.cut(fault.victims[0], on)),
            plan.LIES: self._lie,
            plan.FULL: lambda fault: self._last(fault, self._fill),
            plan.SPOILT: self._spoil,
            plan.SECOND: self._second_driver,
            plan.STEPS: self._steps,
            plan.SET: lambda fault: self._last(fault, lambda on: clock.set_by(AHEAD_SECONDS if on else 0)),
        }

    def keep_checkpoint(self) -> None:
        """Copy the stream's checkpoint, which a fault restores later."""
        shutil.copytree(self.checkpoint, self.older)

    def inject(self, fault: Fault) -> float:
        """Let it happen; returns the moment when it was over, in Unix seconds."""
        return self._ways[fault.way](fault)

    def _chosen(self, fault: Fault, names: Sequence[str]) -> list[psutil.Process]:
        chance = random.Random(f"{self.seed} {fault.number}")
        chosen = []
        for name in names:
            found = victims.found(victims.ALL[name], self.stack)
            one = name in victims.ONE_OF and len(found) > 1
            chosen += [chance.choice(found)] if one else found
        return chosen

    def _die(self, fault: Fault) -> float:
        _signal(self._chosen(fault, fault.victims), signal.SIGKILL)
        return time.time()

    def _hang(self, fault: Fault) -> float:
        chosen = self._chosen(fault, fault.victims)
        return self._last(fault, lambda on: _signal(chosen, signal.SIGSTOP if on else signal.SIGCONT))

    def _last(self, fault: Fault, switch: Callable[[bool], None]) -> float:
        switch(True)
        time.sleep(fault.seconds / 2)
        _signal(self._chosen(fault, fault.dying), signal.SIGKILL)
        time.sleep(fault.seconds / 2)
        switch(False)
        return time.time()

    def _lie(self, fault: Fault) -> float:
        with answering(LIES[LIARS.index(fault.victims[0])]) as port:
            return self._last(fault, lambda on: self.network.lie(PIN_API, port if on else None))

    def _fill(self, on: bool) -> None:
        """Take all that is free where lake, checkpoint, databases and logs are, or give it back."""
        folder = self.stack.settings.stack_dir
        ballast = folder / "ballast"
        if not on:
            ballast.unlink(missing_ok=True)
        if not on or not folder.is_mount():  # the disk is everybody's
            return
        with ballast.open("wb") as file:
            for size in BALLAST_BYTES:
                with suppress(OSError):  # that is when it is full
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)

    def _spoil(self, fault: Fault) -> float:
        """The driver dies, and what it left is not what the next one expects."""
        _signal(victims.found(victims.driver, self.stack), signal.SIGKILL)
        if fault.victims[0] == CHECKPOINTS[2]:
            written = self.checkpoint.glob("*/offsets/[0-9]*")  # each driver has a checkpoint of its own
            newest = max(written, key=lambda path: path.stat().st_mtime)
            os.truncate(newest, 0)
        else:
            shutil.rmtree(self.checkpoint)
            if fault.victims[0] == CHECKPOINTS[1]:
                shutil.copytree(self.older, self.checkpoint)
        return time.time()

    @staticmethod
    def _second_driver(fault: Fault) -> float:
        """Somebody starts a driver by hand; it must end by itself."""
        second = subprocess.run([sys.executable, "-c", LAUNCH], timeout=REFUSED_SECONDS, check=False)
        assert second.returncode, "a second driver ran beside the first one"
        return time.time()

    def _steps(self, fault: Fault) -> float:
        files = {self.armed / step.removesuffix(LOST).strip().replace("/", ":"): step for step in fault.victims}
        for file, step in files.items():
            part = file.with_name("part")
            part.write_text(LOST if step.endswith(LOST) else "")
            part.rename(file)
        reached = [file.with_name(f"{file.name}.reached") for file in files]
        deadline = time.monotonic() + REACHED_SECONDS
        while time.monotonic() < deadline and not all(file.exists() for file in reached):
            time.sleep(0.1)
        for file in files:
            file.unlink(missing_ok=True)
        over = [file.stat().st_ctime for file in reached if file.exists()]
        for file, step in zip(reached, fault.victims, strict=True):
            print(f"    {step}{'' if file.exists() else ': not reached'}")
            file.unlink(missing_ok=True)
        return max(over, default=time.time())


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
