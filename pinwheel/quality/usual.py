"""What is usual for an hour of a table, from the hours before it, and how far from that it may be.

Medians, so that one bad hour in the past does not become the standard. With less of a past than ``ENOUGH`` hours
nothing is expected: a new table raises no alarm.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import fmean, median

from expectations.measures import Measure, Range, Scale
from pinwheel.quality.profile import FEW_ROWS, Profile

PAST = timedelta(days=14)  # what is remembered for comparison
ENOUGH = 3  # hours to compare with
DAY = timedelta(days=1)
# Follow the clock: the same hour of earlier days is all that they can be compared with.
DAILY = ("row_count", "people_share", "busiest_person_share", "longest_gap_seconds", "delay_seconds")
DAILY_COLUMNS = ("country_code", "region", "city")
NOT_COMPARED = ("same_record_rows", "place_wrong_share", "future_share")  # right or wrong by themselves
ONE_SIDED = ("busiest_", "longest_gap_seconds", "top_share_", "repeated_share", "pin_conflict_share", "unknown_share")
DEVIATION = 1.4826  # median absolute deviation -> standard deviation, of a normal distribution
NEW_SHARE = 0.01  # of the rows may have values that were never seen
USUAL_SHARE = 0.02  # a value this common does not go away by chance
OFTEN = 0.45  # more than usual is no alarm, nor as much less; half and double are
DRIFT = 0.1  # of the rows may have moved from one value to another


def basis(profile: Profile, past: Sequence[Profile]) -> tuple[list[Profile], bool]:
    """The hours to compare with, and whether they are the same hour of earlier days."""
    same = [p for p in past if (profile.hour - p.hour) % DAY == timedelta(0) and p.hour < profile.hour]
    alike = [p for p in same if _is_weekend(p) == _is_weekend(profile)]
    if len(same) >= ENOUGH:
        return (alike if len(alike) >= ENOUGH else same), True
    recent = [p for p in past if timedelta(0) < profile.hour - p.hour <= DAY and p.rows >= FEW_ROWS]
    return (recent, False) if len(recent) >= ENOUGH else ([], False)


def _is_weekend(profile: Profile) -> bool:
    return profile.hour.weekday() >= 5


def expected(profile: Profile, past: Sequence[Profile], measures: Iterable[Measure]) -> dict[str, Range]:
    """Measure -> what it should be; adds to ``profile.values`` how its columns' values compare with the past."""
    before, daily = basis(profile, past)
    if not before:
        return {}
    told = f"the same hour of {len(before)} earlier days" if daily else f"{len(before)} hours before"
    found = {}
    for measure in measures:
        seen = [v for p in before if (v := p.values.get(measure.name)) is not None]
        if len(seen) >= ENOUGH and measure.name not in NOT_COMPARED and (daily or not _is_daily(measure.name)):
            found[measure.name] = _range(measure, seen, max(profile.rows, 1.0), told)
    columns = [c for c in profile.shares if daily or c not in DAILY_COLUMNS]
    for column in columns if profile.rows >= FEW_ROWS else []:
        found |= _shifts(profile, column, [p.shares[column] for p in before if p.shares.get(column)], told)
    return found


def _is_daily(name: str) -> bool:
    return name in DAILY or name.endswith(DAILY_COLUMNS)


def _range(measure: Measure, seen: Sequence[float], rows: float, told: str) -> Range:
    middle = median(seen)
    spread = DEVIATION * median(abs(v - middle) for v in seen)
    wide = 4 * (1 + 4 / len(seen)) * spread  # few hours know little of their own spread
    why = f"{middle:.6g} is usual in {told}"
    if measure.scale == Scale.COUNT:
        times = 1 + max(OFTEN, wide / middle if middle else 0.0, 6 / math.sqrt(max(middle, 1.0)))
        return Range(middle / times, middle * times, why)
    width = max(wide, _noise(measure.scale, middle, rows))
    low = None if measure.name.startswith(ONE_SIDED) else middle - width
    return Range(low, middle + width, why)


def _noise(scale: Scale, middle: float, rows: float) -> float:
    """What chance alone does to a measure of so many rows, and what nobody minds."""
    if scale == Scale.SHARE:
        return max(0.03, 6 * math.sqrt(max(middle * (1 - middle), 1 / rows) / rows))
    if scale == Scale.LEVEL:
        return max(0.15, 6 * 2 / math.sqrt(rows))  # logarithms of ids and lengths deviate by 2 at most
    return max(120.0, 3 * middle)


def _shifts(profile: Profile, column: str, before: Sequence[Mapping[str, float]], told: str) -> dict[str, Range]:
    """How the values of a column moved: new ones, ones that are gone, and all in all."""
    if len(before) < ENOUGH:
        return {}
    now = profile.shares[column]
    usual = {value: fmean(shares.get(value, 0.0) for shares in before) for value in set().union(*before)}
    chance = 6 / math.sqrt(profile.rows)
    profile.values |= {
        f"new_values_share_{column}": sum(share for value, share in now.items() if value not in usual),
        f"gone_values_share_{column}": sum(
            share
            for value, share in usual.items()
            if share > max(USUAL_SHARE, chance**2) and now.get(value, 0.0) < share / 10
        ),
        f"drift_{column}": _distance(now, usual),
    }
    earlier = median(_distance(shares, usual) for shares in before)
    return {
        f"new_values_share_{column}": Range(None, NEW_SHARE + chance**2, f"no other values in {told}"),
        f"gone_values_share_{column}": Range(None, 0.0, f"values that all of {told} have"),
        f"drift_{column}": Range(None, max(DRIFT, 3 * earlier), f"{earlier:.3g} is usual in {told}"),
    }


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Share of the rows that would have to change their value for the two to be the same."""
    return sum(abs(one.get(value, 0.0) - other.get(value, 0.0)) for value in {*one, *other}) / 2
