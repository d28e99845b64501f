"""The processes of a running stack that a campaign kills or pauses, by the name of the fault."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from pinwheel.local.airflow import PROGRAMS, SCHEDULER
from pinwheel.local.processes import in_session
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock

Processes = list[psutil.Process]
MAKE_RUN = "`make run`"  # the process that keeps the others up; started again a few seconds later


def _program(name: str) -> Callable[[Stack], Processes]:
    return lambda stack: stack.owned(name).members()


def driver(stack: Stack) -> Processes:
    """The driver's JVM, its Python, Spark's Python daemon and its workers."""
    found = driver_lock.running(stack.settings.driver_lock_path)
    if found is None:
        return []
    # spark-submit's script leaves a zombie, which nothing can kill.
    return [p for p in in_session(os.getsid(found.pid)) if p.status() != psutil.STATUS_ZOMBIE]


def _is_worker(process: psutil.Process) -> bool:
    return any("pyspark.daemon" in word for word in process.cmdline())


def _jvm(stack: Stack) -> Processes:
    return [p for p in driver(stack) if p.name() == "java"]


def _python(stack: Stack) -> Processes:
    return [p for p in driver(stack) if p.name() != "java" and not _is_worker(p)]


def _workers(stack: Stack) -> Processes:
    return [p for p in driver(stack) if _is_worker(p)]


def _scheduler(stack: Stack) -> Processes:
    leader = stack.owned(SCHEDULER).leader()
    return [leader] if leader else []


def _airflow(stack: Stack) -> Processes:
    """All of Airflow's programs and tasks; the stream's driver is none of them."""
    return [process for name in PROGRAMS for process in stack.owned(name).members()]


def _run(stack: Stack) -> Processes:
    holder = stack.lock.holder()
    return [psutil.Process(holder)] if holder else []


def _executors(stack: Stack) -> Processes:
    """The executor's workers, which are the scheduler's children, that run a task now."""
    return [worker for scheduler in _scheduler(stack) for worker in scheduler.children() if worker.children()]


def _tasks(stack: Stack) -> Processes:
    """Airflow's running tasks: children of the executor's workers."""
    return [task for worker in _executors(stack) for task in worker.children()]


ALL: dict[str, Callable[[Stack], Processes]] = {
    "the driver's JVM": _jvm,
    "the driver's Python": _python,
    "Spark's Python workers": _workers,
    "the broker": _program("kafka"),
    "MariaDB": _program("memsql"),
    "the Pin API": _program("pin_api"),
    MAKE_RUN: _run,
    "Airflow": _airflow,
    "the scheduler with its tasks": _program(SCHEDULER),
    "the scheduler alone": _scheduler,
    "the Dag processor": _program("airflow-dag-processor"),
    "the API server": _program("airflow-api-server"),
    "the triggerer": _program("airflow-triggerer"),
    "a task": _tasks,
    "all tasks": _tasks,
    "an executor's worker": _executors,
}
ONE_OF = {"Spark's Python workers", "a task", "an executor's worker"}  # one of those that are found dies
MANY = {"Spark's Python workers", "all tasks"}  # names in the plural


def found(victims: Callable[[Stack], Processes], stack: Stack) -> Processes:
    """The processes now. Asked again if one of them ends while it is looked at."""
    for _ in range(20):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            return victims(stack)
        time.sleep(0.05)
    return victims(stack)
