"""CPU-seconds and seconds of steps, in this process and in the database, and of each statement."""

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
IDLE_SHARE = 0.02  # of a core: the database has nothing left to do


@dataclass
class Cost:
    """What something took; ``own`` is this process's CPU, ``database`` the server's, in seconds."""

    seconds: float = 0.0
    own: float = 0.0
    database: float = 0.0
    times: int = 0

    def add(self, other: "Cost") -> None:
        """Count another one in."""
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
        """The clocks; the kernel counts another process's CPU in hundredths of a second."""
        return Cost(time.monotonic(), time.process_time(), sum(self._server.cpu_times()[:2]))

    @contextmanager
    def step(self, table: str, name: str) -> Iterator[None]:
        """Count what happens in the block."""
        before = self.now()
        yield
        self.steps[table, name].add(self.since(before))

    def watch(self, connection: Connection) -> None:
        """Count each statement of a connection from now on."""
        query = connection.query

        def counted(sql: Any, unbuffered: bool = False) -> int:
            before = self.now()
            try:
                return int(query(sql, unbuffered))
            finally:
                self.statements[label(sql)].add(self.since(before))

        connection.query = counted  # type: ignore[method-assign]

    def settle(self, seconds: float = 60.0) -> Cost:
        """Wait until the database is idle: it purges and writes pages after a commit too."""
        before, ends = self.now(), time.monotonic() + seconds
        while time.monotonic() < ends:
            used = self.now().database
            time.sleep(1)
            if self.now().database - used < IDLE_SHARE:
                break
        return self.since(before)

    def since(self, before: Cost) -> Cost:
        """What was used since ``before``, which ``now`` gave."""
        now = self.now()
        return Cost(now.seconds - before.seconds, now.own - before.own, now.database - before.database, 1)


def label(sql: str | bytes) -> str:
    """The verb of a statement and the table that it writes or reads first."""
    text = sql.decode(errors="replace") if isinstance(sql, bytes | bytearray) else sql
    verb = text.split(maxsplit=1)[0].upper()
    target = TARGET.search(text)
    return f"{verb} {target[1]}" if target else verb


def lines(costs: dict[Any, Cost], least_seconds: float = 0.0) -> list[str]:
    """Rows of a Markdown table, the dearest first; names that are tuples take a column each."""
    ranked = sorted(costs.items(), key=lambda item: -item[1].seconds)
    return [
        f"| {' | '.join(name) if isinstance(name, tuple) else name} | {cost.times} | {cost.seconds:.2f} "
        f"| {cost.own:.2f} | {cost.database:.2f} |"
        for name, cost in ranked
        if cost.seconds >= least_seconds
    ]
