"""What rose: the exact conditional test of two Poisson counts, corrected for how many were compared.

When nothing changed, each engagement of the two periods, which are as long, falls into the later one with a chance of
one half. So of ``n`` the later one has a binomial count, and how likely at least ``a`` of them are is exact. It is
multiplied by the number of pins or categories that were compared (Bonferroni): of a hundred brands without any
change, one shows a trend.
"""

from collections.abc import Sequence

from scipy.special import bdtrc

from pinwheel.reports.numbers import Group, Trend

LEAST = 10  # engagements in the period: fewer are no trend, however new
CHANCE = 0.01
SHOWN = 10


def rising(kind: str, groups: Sequence[Group]) -> list[Trend]:
    """Those that rose, the largest rise first, of all pins or all categories (``kind``: ``pin`` or ``category``)."""
    busy = [group for group in groups if group.engagement >= LEAST]
    trends = [Trend(kind, group, chance(group.engagement, group.before, len(busy))) for group in busy]
    risen = [trend for trend in trends if trend.chance < CHANCE]
    return sorted(risen, key=lambda t: (t.group.before - t.group.engagement, t.group.key))[:SHOWN]


def chance(now: int, before: int, compared: int) -> float:
    """How likely at least so many now are, at the pace of before, for any of those compared; 1 at most.

    Rounded, so that the same counts give the same number on every machine.
    """
    tail = float(bdtrc(now - 1, now + before, 0.5)) if now else 1.0
    return float(f"{min(1.0, tail * max(1, compared)):.3g}")
