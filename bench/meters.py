"""Measures seconds and CPU-seconds of steps and statements, in this process and in the database."""

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from pinwheel.clients.memsql import Connection

TARGET = re.compile(r"(?:\bINTO(?: TABLE)?|\bFROM|^UPDATE|\bTABLE(?: IF (?:NOT )?EXISTS)?)\s+`?(\w+)", re.IGNORECASE)
IDLE_SHARE = 0.02  # of a core; below it the database counts as idle


@dataclass
class Cost:
    """Cost in seconds; ``own`` is this process's CPU, ``database`` the server's."""

    seconds: float = 0.0
    own: float = 0.0
    database: float = 0.0
    times: int = 0

    def add(self, other: "Cost") -> None:
        """Add another cost."""
        self.seconds += other.seconds
        self.own += other.own
        self.database += other.database
        self.times += other.times


class Meter:
    """Costs by name, of one database server and this process."""

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self.steps: dict[tuple[str, str], Cost] = defaultdict(Cost)  # (table, step)
        self.statements: dict[str, Cost] = defaultdict(Cost)

    def now(self) -> Cost:
        """Read the clocks; another process's CPU has a resolution of 0.01 s."""
        return Cost(time.monotonic(), time.process_time(), sum(self._server.cpu_times()[:2]))

    @contextmanager
    def step(self, table: str, name: str) -> Iterator[None]:
        """Add the cost of the block to a step."""
        before = self.now()
        yield
        self.steps[table, name].add(self.since(before))

    def watch(self, connection: Connection) -> None:
        """From now on measure each statement of a connection."""
        query = connection.query

        def counted(sql: Any, unbuffered: bool = False) -> int:
            before = self.now()
            try:
                return int(query(sql, unbuffered))
            finally:
                self.statements[label(sql)].add(self.since(before))

        connection.query = counted  # type: ignore[method-assign]

    def settle(self, seconds: float = 60.0) -> Cost:
        """Wait until the database is idle, as it also purges and writes pages after a commit; returns the cost."""
        before, ends = self.now(), time.monotonic() + seconds
        while time.monotonic() < ends:
            used = self.now().database
            time.sleep(1)
            if self.now().database - used < IDLE_SHARE:
                break
        return self.since(before)

    def since(self, before: Cost) -> Cost:
        """The cost since ``before``, which ``now`` returned."""
        now = self.now()
        return Cost(now.seconds - before.seconds, now.own - before.own, now.database - before.database, 1)


def label(sql: str | bytes) -> str:
    """A statement's verb and the first table that it writes or reads."""
    text = sql.decode(errors="replace") if isinstance(sql, bytes | bytearray) else sql
    verb = text.split(maxsplit=1)[0].upper()
    target = TARGET.search(text)
    return f"{verb} {target[1]}" if target else verb


def lines(costs: dict[Any, Cost], least_seconds: float = 0.0) -> list[str]:
    """Rows of a Markdown table, by descending seconds; a name that is a tuple takes several columns."""
    ranked = sorted(costs.items(), key=lambda item: -item[1].seconds)
    return [
        f"| {' | '.join(name) if isinstance(name, tuple) else name} | {cost.times} | {cost.seconds:.2f} "
        f"| {cost.own:.2f} | {cost.database:.2f} |"
        for name, cost in ranked
        if cost.seconds >= least_seconds
    ]
