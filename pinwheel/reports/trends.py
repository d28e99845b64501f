"""Trends: the exact conditional test of two Poisson counts, corrected for the number of comparisons.

If nothing changed, each engagement in two periods of the same length falls into the later one with probability one
half. So of ``n`` engagements the later period has a binomial count, and the probability of at least ``a`` is exact. It
is multiplied by the number of pins or categories compared (Bonferroni): of a hundred brands without any change, one
shows a trend.
"""

from collections.abc import Sequence

from scipy.special import bdtrc

from pinwheel.reports.numbers import Group, Trend

LEAST = 10  # engagements in the period: fewer are never a trend
CHANCE = 0.01
SHOWN = 10


def rising(kind: str, groups: Sequence[Group]) -> list[Trend]:
    """The groups that rose, largest rise first; ``groups``: all pins or all categories (``kind``)."""
    busy = [group for group in groups if group.engagement >= LEAST]
    trends = [Trend(kind, group, chance(group.engagement, group.before, len(busy))) for group in busy]
    risen = [trend for trend in trends if trend.chance < CHANCE]
    return sorted(risen, key=lambda t: (t.group.before - t.group.engagement, t.group.key))[:SHOWN]


def chance(now: int, before: int, compared: int) -> float:
    """The probability that any of ``compared`` groups reaches ``now`` at the rate of ``before``; at most 1.

    Rounded, so that the same counts give the same number on every machine.
    """
    tail = float(bdtrc(now - 1, now + before, 0.5)) if now else 1.0
    return float(f"{min(1.0, tail * max(1, compared)):.3g}")
