"""The campaign's own rules: what it plans, how it shrinks, what it prints, and that its points and links work."""

import os
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import cast

import psutil
import pytest

from pinwheel.local.stack import Stack
from tests.support.campaign import clock
from tests.support.campaign.__main__ import table
from tests.support.campaign.network import Network
from tests.support.campaign.plan import CLOCK, STEPS, Fault, fewest, kinds, plan, steps
from tests.support.campaign.victims import found
from tests.support.campaign.world import POINTS

KINDS = len(kinds()) + 1  # the clock
ONE_ROUND = sum(how_many for _, _, how_many in kinds()) + 1


def test_a_seed_is_a_plan() -> None:
    assert plan(7, 60) == plan(7, 60)
    shorter = plan(7, 20)
    assert plan(7, 60)[: len(shorter)] == shorter, "a longer campaign begins like a shorter one"
    assert plan(7, 60) != plan(8, 60)


def test_every_kind_comes_before_one_comes_again() -> None:
    twice = plan(1, 4 * ONE_ROUND)[: 2 * KINDS]
    once = Counter(_alone(fault) for fault in twice[:KINDS])
    assert Counter(map(_alone, twice)) == {kind: 2 * count for kind, count in once.items()}
    assert {
        "the broker hangs",
        "MariaDB is slow",
        "the disk is full",
        "all tasks die",
        "3 programs die at once",
    } <= set(once)
    assert once.total() == KINDS
    assert twice[KINDS - 1].victims == twice[2 * KINDS - 1].victims == (CLOCK,)


def _alone(fault: Fault) -> str:
    return replace(fault, dying=()).kind


def test_in_some_a_program_dies_while_another_fault_lasts() -> None:
    found = plan(1, ONE_ROUND)
    assert {bool(fault.dying) for fault in found if fault.seconds} == {True, False}
    assert not any(fault.dying for fault in found if not fault.seconds)
    assert ONE_ROUND <= sum(fault.count for fault in found) < ONE_ROUND + 5


def test_all_steps_are_armed_in_a_long_campaign() -> None:
    armed = {step for fault in plan(1, 40 * ONE_ROUND) if fault.way == STEPS for step in fault.victims}
    assert armed == set(steps())


def test_each_step_is_a_statement_of_ours() -> None:
    for step in steps():
        name = step.removeprefix("before ").removeprefix("commit of ").removeprefix("after commit of ").split()[0]
        assert "/" not in name or Path("sql", f"{name}.sql").exists(), step


@pytest.mark.parametrize("needed", [{0}, {3}, {14}, {2, 12}, {5, 6, 7}])
def test_shrinking_leaves_the_faults_that_matter(needed: set[int]) -> None:
    tries = list[int]()

    def fails(faults: list[Fault]) -> bool:
        tries.append(len(faults))
        return needed <= {fault.number for fault in faults}

    assert {fault.number for fault in fewest(plan(1, 40)[:15], fails)} == needed
    assert len(tries) < 80


def test_the_table_has_each_kind_and_all_of_them() -> None:
    told = table({"MariaDB dies": [3.0, 9.0, 6.0], "a task hangs": [20.0]}).splitlines()
    assert told[2:] == [
        "| MariaDB dies | 3 | 6 s | 9 s |",
        "| a task hangs | 1 | 20 s | 20 s |",
        "| all | 4 | 8 s, p95 20 s | 20 s |",
    ]


REACHES = """
import sitecustomize
print(sitecustomize.reach("before merge/load repins"), sitecustomize.reach("after commit of merge/load repins"))
"""


@pytest.mark.parametrize(
    ("armed", "dies", "prints"),
    [
        (None, 0, "False False\n"),
        (("before merge:load repins", ""), -9, ""),
        (("after commit of merge:load repins", "lost"), 0, "False True\n"),
    ],
)
def test_a_program_dies_at_an_armed_step_once(
    tmp_path: Path, armed: tuple[str, str] | None, dies: int, prints: str
) -> None:
    if armed:
        (tmp_path / armed[0]).write_text(armed[1])
    environment = {**os.environ, "FAULTS_FOLDER": str(tmp_path), "PYTHONPATH": str(POINTS)}
    for code, text in ((dies, prints), (0, "False False\n")):
        done = subprocess.run(
            [sys.executable, "-c", REACHES], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (code, text), done.stderr


SETS = """
import sys, time
from queue import Empty, Queue
from tests.support.campaign import clock
for seconds in (3600, -7200):
    before, began = time.time(), time.monotonic()
    clock.set_by(seconds)
    try:
        Queue().get(timeout=0.2)
    except Empty:
        time.sleep(0.2)
    print(round((time.time() - before) / 600) * 600, 0.4 <= time.monotonic() - began < 60)
"""


@pytest.mark.skipif(not clock.COMPILER, reason="no C compiler (cc): a campaign leaves the clock alone, too")
def test_the_clock_is_set_and_no_wait_is_longer_or_shorter(tmp_path: Path) -> None:
    environment = os.environ | clock.made(str(clock.COMPILER), tmp_path) | {"PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", SETS], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "3600 True\n-7200 True\n", done.stderr


def test_a_link_passes_on_and_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        network = Network({"it": server.getsockname()[1]})
        with network.running() as ports:

            def asked() -> bytes:
                with socket.create_connection(("127.0.0.1", ports["it"]), 5) as client:
                    client.settimeout(5)
                    accepted, _ = server.accept()
                    with accepted:
                        client.sendall(b"ping")
                        accepted.sendall(accepted.recv(4).upper())
                        return client.recv(4)

            assert asked() == b"PING"
            network.slow("it", True)
            assert asked() == b"PING"
            network.cut("it", True)
            with socket.create_connection(("127.0.0.1", ports["it"]), 5) as client:
                client.settimeout(5)
                assert client.recv(1) == b"", "the connection is closed at once"
            network.cut("it", False)
            assert asked() == b"PING"


def test_a_process_that_ends_while_it_is_looked_at_ends_no_campaign() -> None:
    stack, looks = cast(Stack, None), iter([psutil.NoSuchProcess(1), ProcessLookupError()])

    def look(_: Stack) -> list[psutil.Process]:
        for error in looks:
            raise error
        return [psutil.Process()]

    assert found(look, stack) == [psutil.Process()]
