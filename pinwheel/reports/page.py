"""A report as one self-contained HTML file: SVG charts, no script, no external requests.

The template escapes all text from outside, and isolates its writing direction in ``bdi`` elements.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pinwheel.core.days import is_zone
from pinwheel.reports import charts, trends, words
from pinwheel.reports.numbers import Change, Group, Quality, Totals
from pinwheel.reports.period import Period
from pinwheel.reports.revisions import Report

TEMPLATES = Path(__file__).parent / "templates"
VERDICTS = {"passed": "passed", "warning": "passed with warnings", "failed": "failed", "unchecked": "not checked yet"}
TONES = {"passed": "good", "warning": "warn", "failed": "bad", "unchecked": "plain"}
CARDS = {
    "engagement": "Engagement",
    "repins": "Repins",
    "comments": "Comments",
    "people": "People who engaged",
    "pins": "New pins",
    "pinners": "People who made pins",
}


@dataclass(frozen=True)
class Row:
    """A pin, category or country as a table row; ``share``: percent of the largest row's engagement."""

    group: Group
    name: str
    category: str = ""
    share: float = 0.0
    kind: str = ""
    chance: float = 1.0


@lru_cache
def environment() -> Environment:
    """The templates of this room: texts are escaped, and what is not defined is an error."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    for use in (words.whole, words.change, words.direction, words.chance):
        made.globals[use.__name__] = use
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    made.globals["style"] = Markup(style)  # noqa: S704 - a file of ours
    made.globals["style_hash"] = style_hash(style)
    return made


def style_hash(style: str) -> str:
    """The source expression that allows this style in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def style_hash_of(page: str) -> str:
    """The same for the style of a stored page; that of the empty text if the page has none."""
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    return style_hash(style[1] if style else "")


def in_theme(page: str, theme: str) -> str:
    """A stored page in the theme ``light`` or ``dark``, not in that of the reader's system."""
    themed = page.replace("color-scheme: light dark", f"color-scheme: {theme}", 1)
    themed = themed.replace("@media (prefers-color-scheme: dark)", f"@media {'' if theme == 'dark' else 'not '}all", 1)
    before, after = style_hash_of(page).strip("'"), style_hash_of(themed).strip("'")
    return themed.replace(before, after)  # in its own policy


def page(report: Report) -> str:
    """The report as HTML."""
    numbers, period = report.numbers, report.period
    is_day = period.days == 1
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            numbers=numbers,
            state=report.state,
            brand=words.cut(report.brand.title),
            kind=words.title(period),
            moment=partial(words.moment, time_zone=period.time_zone),
            days=words.days(period),
            before_name=words.before(period),
            before_days=words.days(period.before),
            verdict=verdict(report.state.quality),
            cards=_cards(numbers.now, numbers.before),
            bars=charts.by_hour(period, numbers.hours, numbers.hours_before)
            if is_day
            else charts.by_day(period, numbers.hours, numbers.hours_before),
            heat=None if is_day else charts.heat_map(period, numbers.hours),
            pins=[Row(g, pin_name(g), words.cut(g.category or "")) for g in numbers.pins],
            categories=_ranking(numbers.categories, [words.cut(g.key) for g in numbers.categories]),
            countries=_ranking(numbers.countries, [words.country(g.key) for g in numbers.countries]),
            trends=[Row(t.group, trend_name(t.group, t.kind), kind=t.kind, chance=t.chance) for t in numbers.trends],
            changes=[changed(change, report) for change in report.changes],
            state_changes=state_changes(report),
            least=trends.LEAST,
            rarer=round(1 / trends.CHANCE),
        )
    )


def _cards(now: Totals, before: Totals) -> list[dict[str, str | int]]:
    return [
        {"name": name, "now": getattr(now, field), "before": getattr(before, field)} for field, name in CARDS.items()
    ]


def pin_name(group: Group) -> str:
    """A pin's title, or its id if no title is known."""
    return words.cut(group.title or "") or f"Pin {group.key}, no title known"


def trend_name(group: Group, kind: str) -> str:
    """The name of a pin or category that rose."""
    return pin_name(group) if kind == "pin" else words.cut(group.key)


def _ranking(groups: Sequence[Group], names: Sequence[str]) -> list[Row]:
    most = max((g.engagement for g in groups), default=1)
    return [Row(g, name, share=round(100 * g.engagement / most, 1)) for g, name in zip(groups, names, strict=True)]


def verdict(quality: Quality) -> dict[str, str]:
    """The verdict for the page: its colour, its badge's text, and a sentence."""
    badge = f"Data quality: {VERDICTS[quality.verdict]}"
    return {"tone": TONES[quality.verdict], "badge": badge, "sentence": _sentence(quality)}


def _sentence(quality: Quality) -> str:
    checked = f"{quality.checked_hours} of the {quality.hours} hours have been checked"
    if quality.verdict == "unchecked":
        return f"{checked} so far." if quality.checked_hours else "No hour of the period has been checked."
    if quality.checked_hours < quality.hours:
        return f"It {VERDICTS[quality.verdict]} when it was checked; {checked} and their results are still stored."
    if quality.verdict == "passed":
        return f"All {quality.hours} hours were checked and met all expectations."
    return f"All {quality.hours} hours were checked. These expectations were not met:"


def changed(change: Change, report: Report) -> dict[str, str]:
    """A changed number as texts."""
    known = change.before is not None and change.after is not None
    return {
        "name": number_name(change.name, report.period, {g.key: g.title for g in report.numbers.pins}),
        "before": "not listed" if change.before is None else words.whole(change.before),
        "after": "not listed" if change.after is None else words.whole(change.after),
        "by": words.signed(change.by) if known else "",
    }


def number_name(name: str, period: Period, titles: Mapping[str, str | None]) -> str:
    """The display name of a number of ``Numbers.flat``; pins by their title if it is known."""
    kind, _, key = name.partition(" ")
    if kind == "total":
        return CARDS[key]
    if kind == "before":
        return f"{CARDS[key]}, {words.before(period)}"
    if kind == "hour":
        return _hour_name(int(key), period)
    if kind == "country":
        return words.country(key)
    if kind == "category":
        return f"Category {words.cut(key)}"
    return words.cut(titles.get(key) or "") or f"Pin {key}"


def _hour_name(number: int, period: Period) -> str:
    # The zone's rules have changed since that revision was made, or it is not known here.
    if not is_zone(period.time_zone) or number >= len(period.hours):
        return f"Hour {number + 1}"
    at = period.hours[number]
    day = "" if period.days == 1 else words.time(at.local.replace(tzinfo=None, fold=0), "EEE d MMMM, ")
    return f"{day}{words.hour(at)}"


def state_changes(report: Report) -> list[str]:
    """Sentences about changes of completeness and data quality since the previous revision."""
    if report.earlier is None:
        return []
    now, before = report.state, report.earlier
    sentences = ["It was not complete then."] if now.is_complete and not before.is_complete else []
    if now.quality.verdict != before.verdict:
        sentences.append(f"Data quality then: {VERDICTS[before.verdict]}.")
    return sentences
