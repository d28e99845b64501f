"""The faults of a campaign, from its seed alone."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pinwheel.core.contract import TABLES
from tests.support.campaign import victims

DIES, HANGS, SLOW, CUT, LIES, FULL, SPOILT, SECOND, STEPS, SET = (
    *("dies", "hangs", "is slow", "is cut off", "lies", "is full", "is spoilt", "comes", "dies at its step", "is set"),
)
HANGING = [
    *("the driver's JVM", "the driver's Python", "Spark's Python workers", "the broker", "MariaDB"),
    *("the scheduler alone", "the API server", "a task", "all tasks"),
]
PIN_API = "the Pin API"
SERVERS = ["the broker", "MariaDB", PIN_API]  # which are reached through the proxy
LIARS = [f"{PIN_API} ({lie})" for lie in ("knows no pin", "other pins", "drips", "a bomb", "floods", "nonsense")]
DISK, SECOND_DRIVER = "the disk", "a second driver"
CHECKPOINTS = ["the checkpoint (deleted)", "the checkpoint (an older copy)", "the checkpoint (its newest file empty)"]
CLOCK, AHEAD_SECONDS = "the clock (an hour ahead)", 3600
BURST, BURSTS = 3, 3
AT_ONCE = 4  # steps that are armed together
ROUNDS_OF_STEPS = 6
SHORTEST, LONGEST = 20.0, 60.0  # seconds that lasts what is no death
MEANWHILE = 0.5  # of the faults that last, a program dies in their middle
LOST = "lost"  # a commit whose answer does not come

# Statements that run all the time while events flow. A commit is called by the last statement before it.
STATEMENTS = [
    *(f"merge/load {table}" for table in TABLES),
    *("merge/load asked_ids", "merge/work_tables", "merge/record_slice", "merge/move_watermark", "merge/move_progress"),
    *("merge/move_offset", "merge/note_pending", "merge/forget_quarantined", "merge/queue_increments"),
    *(
        "enrich/work_table",
        "enrich/update_older",
        "rollup/changes",
        "rollup/work_tables",
        "rollup/claim",
        "rollup/take",
    ),
    *("rollup/add", "rollup/add_people", "rollup/number_people", "rollup/pin_firsts", "rollup/person_homes"),
    *("rollup/add_pin_hourly", "rollup/add_country_hourly", "rollup/add_minutes", "rollup/keep_presence"),
    *("rollup/keep_progress", "alerts/resolve"),
]
COMMITS = [
    *("merge/load asked_ids", "merge/work_tables", "merge/queue_increments", "merge/move_progress"),
    *("enrich/update_older", "rollup/keep_progress"),
]
LAKE_STEP = "create_write_transaction"


@dataclass(frozen=True)
class Fault:
    """The faults of one moment. ``seconds``: how long it lasts; 0 for a death. ``dying``: a program in its middle."""

    number: int
    way: str
    victims: tuple[str, ...]
    seconds: float
    dying: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many faults they are."""
        return len(self.victims) + len(self.dying)

    @property
    def kind(self) -> str:
        """For the table."""
        if self.way == STEPS:
            return "steps at which programs die"
        if len(self.victims) > 1:
            return f"{len(self.victims)} programs die at once"
        (who,) = self.victims
        alone = f"{who} {self.way.removesuffix('s') if who in victims.MANY else self.way}"
        return f"{alone} while another program dies" if self.dying else alone


def steps() -> list[str]:
    """Every step that a campaign arms, by what ``points/sitecustomize.py`` calls it."""
    found = [f"before {name}" for name in STATEMENTS]
    found += [f"{when} commit of {name}" for name in COMMITS for when in ("before", "after")]
    found += [f"after commit of {name} {LOST}" for name in COMMITS]
    return found + [f"{when} {LAKE_STEP}" for when in ("before", "after")]


def plan(seed: int, count: int, longest: float = LONGEST) -> list[Fault]:
    """Moments of a seed with at least ``count`` faults in all: each way comes before one of them comes again."""
    chance = random.Random(seed)
    found: list[Fault] = []
    left: list[tuple[str, Sequence[str], int]] = []
    while sum(fault.count for fault in found) < count:
        if not left:
            left = kinds()
            chance.shuffle(left)
            left.insert(0, (SET, [CLOCK], 1))  # comes last, so a seed has the faults that it had without it
        way, names, how_many = left.pop()
        seconds = 0.0 if way in (DIES, SPOILT, SECOND, STEPS) else round(chance.uniform(SHORTEST, longest), 1)
        chosen = tuple(chance.sample(names, how_many))
        dying = (chance.choice(list(victims.ALL)),) if seconds and chance.random() < MEANWHILE else ()
        found.append(Fault(len(found), way, chosen, seconds, dying))
    return found


def kinds() -> list[tuple[str, Sequence[str], int]]:
    """One round but for the clock: the way, whom it may concern, and how many of them at once."""
    alone = {
        DIES: list(victims.ALL),
        HANGS: HANGING,
        SLOW: SERVERS,
        CUT: SERVERS,
        LIES: LIARS,
        FULL: [DISK],
        SPOILT: CHECKPOINTS,
        SECOND: [SECOND_DRIVER],
    }
    found: list[tuple[str, Sequence[str], int]] = [(way, [name], 1) for way, names in alone.items() for name in names]
    found += [(DIES, list(victims.ALL), BURST)] * BURSTS
    return found + [(STEPS, steps(), AT_ONCE)] * ROUNDS_OF_STEPS


def fewest(faults: list[Fault], fails: Callable[[list[Fault]], bool]) -> list[Fault]:
    """The faults without those that are not needed to fail: halves first, then ever smaller parts."""
    size = len(faults) // 2
    while size:
        for start in range(0, len(faults), size):
            fewer = faults[:start] + faults[start + size :]
            if fails(fewer):
                faults = fewer
                break
        else:
            size //= 2
    return faults
