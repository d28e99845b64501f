"""All numbers of one report, how they are stored, and when two reports count as the same."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from pinwheel.core.words import brand_title

MAX_LISTED = 100  # pins in a report: the page shows fewer
PEOPLE = ("people", "pinners")


@dataclass(frozen=True)
class Totals:
    """Counts of events and people in a period. ``people`` repinned or commented; ``pinners`` made pins."""

    repins: int = 0
    comments: int = 0
    pins: int = 0
    people: int = 0
    pinners: int = 0

    @property
    def engagement(self) -> int:
        """Repins plus comments; making a pin is not engagement with it."""
        return self.repins + self.comments


@dataclass(frozen=True)
class Group:
    """A pin, category or country: its engagement in the period, and ``before`` in the previous one.

    ``key``: the id, name or code; ``title``: a pin's; ``people``: counted for countries only.
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
        """Repins plus comments."""
        return self.repins + self.comments


@dataclass(frozen=True)
class Trend:
    """A pin or category that rose; ``chance``: the corrected probability of such a rise if nothing had changed."""

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
        """Every number by its name, for comparing revisions. Texts are not compared."""
        named = {f"total {name}": value for name, value in _totals(self.now).items()}
        named |= {f"before {name}": value for name, value in _totals(self.before).items()}
        named |= {f"hour {n}": repins + comments for n, (repins, comments) in enumerate(self.hours)}
        for kind, groups in (("pin", self.pins), ("category", self.categories), ("country", self.countries)):
            named |= {f"{kind} {g.key}": g.engagement for g in groups}
        return named

    def to_json(self) -> str:
        """The stored form, without titles: they may change without a number changing."""
        stored = {
            "now": asdict(self.now),
            "before": asdict(self.before),
            "hours": self.hours,
            "hours_before": self.hours_before,
            "pins": [_kept(g) for g in self.pins],
            "categories": [_kept(g) for g in self.categories],
            "countries": [_kept(g) for g in self.countries],
            "trends": [[t.kind, t.group.key, t.chance] for t in self.trends],
        }
        return json.dumps(stored, separators=(",", ":"), ensure_ascii=False)


def _kept(group: Group) -> list[str | int | None]:
    """A list, because a report has hundreds of groups; in the order of ``Group``'s fields."""
    return [group.key, group.repins, group.comments, group.before, group.people]


def _totals(totals: Totals) -> dict[str, int]:
    return {"engagement": totals.engagement, **asdict(totals)}


@dataclass(frozen=True)
class Quality:
    """The quality checks' result for a period: the verdict, its hours, its checked hours, the unmet expectations."""

    verdict: str  # passed, warning, failed or unchecked
    hours: int
    checked_hours: int
    unmet: tuple[tuple[str, str, str, int], ...] = ()  # table, measure, severity, hours


@dataclass(frozen=True)
class ReportStatus:
    """A report's completeness and data quality."""

    complete_through: datetime | None
    is_complete: bool
    quality: Quality


@dataclass(frozen=True)
class Change:
    """A number that differs from the previous revision; None: that revision does not list it."""

    name: str
    before: int | None
    after: int | None

    @property
    def by(self) -> int:
        """The difference; negative if it fell."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True)
class Brand:
    """A report's brand; ``name`` None: it has no row in ``brands``."""

    brand_id: int
    name: str | None = None
    contact: str | None = None

    @property
    def title(self) -> str:
        """Its name, or "brand" and its id."""
        return brand_title(self.brand_id, self.name)


@dataclass(frozen=True)
class Earlier:
    """The newest stored revision. ``mail``: due, sent or none.

    ``digest_without_people``: of one from before pinners were counted apart, when ``people`` included them; else None.
    """

    revision: int
    made_at: datetime
    complete_through: datetime | None
    is_complete: bool
    verdict: str
    digest: str
    flat: dict[str, int] = field(default_factory=dict)
    digest_without_people: str | None = None
    mail: str = "none"


def settled(state: ReportStatus, earlier: Earlier | None) -> ReportStatus:
    """The state, but completeness and verdict never regress from the earlier revision's.

    They could regress because verdicts expire after some weeks, and because completeness is unknown without Kafka.
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
    """Equal for reports with the same content; ``complete_through`` is left out, as it moves on after the period."""
    return _digest(numbers.to_json(), state.is_complete, state.quality.verdict)


def _digest(numbers: str, is_complete: bool, verdict: str) -> str:
    return hashlib.sha256(json.dumps([numbers, is_complete, verdict]).encode()).hexdigest()


def digest_without_people(text: str, is_complete: bool, verdict: str) -> str:
    """The same of stored numbers, without people, who include pinners in older revisions."""
    read: dict[str, Any] = json.loads(text)
    for totals in (read["now"], read["before"]):
        for name in PEOPLE:
            totals.pop(name, None)
    read["countries"] = [group[:4] for group in read["countries"]]
    return _digest(json.dumps(read), is_complete, verdict)


def is_unchanged(earlier: Earlier, numbers: Numbers, state: ReportStatus) -> bool:
    """Whether the earlier revision says the same, as far as it can be compared."""
    if earlier.digest_without_people is None:
        return earlier.digest == digest(numbers, state)
    said = digest_without_people(numbers.to_json(), state.is_complete, state.quality.verdict)
    return earlier.digest_without_people == said


def changes(before: dict[str, int], after: dict[str, int]) -> list[Change]:
    """The changed numbers: totals first, then the largest changes.

    A total that the earlier revision lacks was not counted then: that is no change.
    """
    changed = [
        Change(name, before.get(name), after.get(name))
        for name in {**after, **before}
        if before.get(name) != after.get(name) and (name in before or _rank(name) == 2)
    ]
    return sorted(changed, key=lambda c: (_rank(c.name), -abs(c.by), c.name))


def _rank(name: str) -> int:
    kind = name.partition(" ")[0]
    return {"total": 0, "before": 1}.get(kind, 2)


def flat_of(text: str) -> dict[str, int]:
    """``Numbers.flat`` of stored numbers, without people if they are from before pinners were counted apart."""
    read = json.loads(text)
    flat = _numbers(read).flat()
    if _counts_pinners(read):
        return flat
    return {name: value for name, value in flat.items() if name.partition(" ")[2] not in PEOPLE or _rank(name) == 2}


def counts_pinners(text: str) -> bool:
    """Whether stored numbers count pinners apart from ``people``; older ones have both in ``people``."""
    return _counts_pinners(json.loads(text))


def _counts_pinners(read: dict[str, Any]) -> bool:
    return "pinners" in read["now"]


def numbers_of(text: str) -> Numbers:
    """The stored numbers: no titles, no trend whose pin is not listed, and no people if they were counted otherwise."""
    return _numbers(json.loads(text))


def _numbers(read: dict[str, Any]) -> Numbers:
    pins, categories, countries = (tuple(Group(*g) for g in read[name]) for name in ("pins", "categories", "countries"))
    groups = {("pin", g.key): g for g in pins} | {("category", g.key): g for g in categories}
    trends = (Trend(kind, groups[kind, key], chance) for kind, key, chance in read["trends"] if (kind, key) in groups)
    return Numbers(
        _totals_of(read["now"]),
        _totals_of(read["before"]),
        tuple((repins, comments) for repins, comments in read["hours"]),
        tuple(read["hours_before"]),
        pins,
        categories,
        countries,
        tuple(trends),
    )


def _totals_of(stored: dict[str, int]) -> Totals:
    return Totals(**stored) if "pinners" in stored else replace(Totals(**stored), people=0)
