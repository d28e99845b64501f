"""All numbers of one report, how they are kept, and what makes two reports say the same."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

MAX_LISTED = 100  # pins in a report: the page shows fewer


@dataclass(frozen=True)
class Totals:
    """Events and people of a period, counts."""

    repins: int = 0
    comments: int = 0
    pins: int = 0
    people: int = 0

    @property
    def engagement(self) -> int:
        """Repins and comments together; making a pin is not engagement with it."""
        return self.repins + self.comments


@dataclass(frozen=True)
class Group:
    """A pin, category or country: its engagement in the period, and in the one before.

    ``key`` is what it is known by, ``title`` what its creator calls it; ``people`` is not counted for all of them.
    """

    key: str
    repins: int
    comments: int
    before: int
    people: int | None = None
    title: str | None = None
    category: str | None = None

    @property
    def engagement(self) -> int:
        """Repins and comments together."""
        return self.repins + self.comments


@dataclass(frozen=True)
class Trend:
    """A pin or category that rose; ``chance``: how likely so large a rise is when nothing changed, of all compared."""

    kind: str
    group: Group
    chance: float


@dataclass(frozen=True)
class Numbers:
    """A brand's numbers. ``hours``: repins and comments of each hour in order; ``hours_before``: engagement."""

    now: Totals
    before: Totals
    hours: tuple[tuple[int, int], ...]
    hours_before: tuple[int, ...]
    pins: tuple[Group, ...] = ()
    categories: tuple[Group, ...] = ()
    countries: tuple[Group, ...] = ()
    trends: tuple[Trend, ...] = ()

    def flat(self) -> dict[str, int]:
        """Every number by its name: what revisions are compared by. Texts are no numbers."""
        found = {f"total {name}": value for name, value in _totals(self.now).items()}
        found |= {f"before {name}": value for name, value in _totals(self.before).items()}
        found |= {f"hour {n}": repins + comments for n, (repins, comments) in enumerate(self.hours)}
        for kind, groups in (("pin", self.pins), ("category", self.categories), ("country", self.countries)):
            found |= {f"{kind} {g.key}": g.engagement for g in groups}
        return found

    def to_json(self) -> str:
        """As it is kept, without titles: they are the pins', and may change without a number changing."""
        told = {
            "now": asdict(self.now),
            "before": asdict(self.before),
            "hours": self.hours,
            "hours_before": self.hours_before,
            "pins": [_kept(g) for g in self.pins],
            "categories": [_kept(g) for g in self.categories],
            "countries": [_kept(g) for g in self.countries],
            "trends": [[t.kind, t.group.key, t.chance] for t in self.trends],
        }
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _kept(group: Group) -> list[str | int | None]:
    """Short, for a report has hundreds; in the order of ``Group``."""
    return [group.key, group.repins, group.comments, group.before, group.people]


def _totals(totals: Totals) -> dict[str, int]:
    return {"engagement": totals.engagement, **asdict(totals)}


@dataclass(frozen=True)
class Quality:
    """What the checks say of a period's data: the verdict, how many of its hours were checked, what was not met."""

    verdict: str  # passed, warning, failed or unchecked
    hours: int
    checked_hours: int
    unmet: tuple[tuple[str, str, str, int], ...] = ()  # table, measure, severity, hours


@dataclass(frozen=True)
class ReportStatus:
    """What a report says beside its numbers."""

    complete_through: datetime | None
    is_complete: bool
    quality: Quality


@dataclass(frozen=True)
class Change:
    """A number that is not what it was in the revision before; None: it was, or is, not among those listed."""

    name: str
    before: int | None
    after: int | None

    @property
    def by(self) -> int:
        """How much more it is."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True)
class Brand:
    """Whom a report is for; ``name`` None: there is no row in ``brands``."""

    brand_id: int
    name: str | None = None
    contact: str | None = None

    @property
    def title(self) -> str:
        """Its name, or its number."""
        return self.name or f"brand {self.brand_id}"


@dataclass(frozen=True)
class Earlier:
    """The newest revision that there is, as it was kept."""

    revision: int
    made_at: datetime
    complete_through: datetime | None
    is_complete: bool
    verdict: str
    digest: str
    flat: dict[str, int] = field(default_factory=dict)


def settled(state: ReportStatus, earlier: Earlier | None) -> ReportStatus:
    """The state, with what was known before and can not be unlearned.

    Verdicts are forgotten after some weeks, and without Kafka nobody can say that nothing waits.
    """
    if earlier is None:
        return state
    quality = state.quality
    if quality.verdict == "unchecked":
        quality = replace(quality, verdict=earlier.verdict)
    if earlier.is_complete and not state.is_complete:
        return ReportStatus(earlier.complete_through, True, quality)
    return replace(state, quality=quality)


def digest(numbers: Numbers, state: ReportStatus) -> str:
    """The same for two reports that say the same; how far past its end a period is complete is not said."""
    told = [numbers.to_json(), state.is_complete, state.quality.verdict]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def changes(before: dict[str, int], after: dict[str, int]) -> list[Change]:
    """What is another number now: totals first, then the largest."""
    found = [
        Change(name, before.get(name), after.get(name))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    ]
    return sorted(found, key=lambda c: (_rank(c.name), -abs(c.by), c.name))


def _rank(name: str) -> int:
    kind = name.partition(" ")[0]
    return {"total": 0, "before": 1}.get(kind, 2)


def flat_of(text: str) -> dict[str, int]:
    """``flat`` of numbers that were kept."""
    read: dict[str, Any] = json.loads(text)
    pins, categories, countries = (tuple(Group(*g) for g in read[name]) for name in ("pins", "categories", "countries"))
    hours = tuple((repins, comments) for repins, comments in read["hours"])
    hours_before = tuple(read["hours_before"])
    now, before = Totals(**read["now"]), Totals(**read["before"])
    return Numbers(now, before, hours, hours_before, pins, categories, countries).flat()
