"""The usual range of each measure of an hour, computed from earlier hours.

Uses medians, so that one bad hour does not become the standard. With fewer than ``ENOUGH`` earlier hours nothing is
expected, so a new table raises no alert.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import fmean, median

from expectations.measures import Measure, Range, Scale
from pinwheel.quality.profile import FEW_ROWS, Profile

PAST = timedelta(days=14)  # how long profiles are kept for comparison
ENOUGH = 3  # hours to compare with
DAY = timedelta(days=1)
# These follow the time of day, so they are compared only with the same hour of earlier days.
DAILY = ("row_count", "people_share", "busiest_person_share", "longest_gap_seconds", "delay_seconds")
DAILY_COLUMNS = ("country_code", "region", "city")
NOT_COMPARED = ("same_record_rows", "place_wrong_share", "future_share")  # have fixed limits
ONE_SIDED = ("busiest_", "longest_gap_seconds", "top_share_", "repeated_share", "pin_conflict_share", "unknown_share")
DEVIATION = 1.4826  # median absolute deviation -> standard deviation, for a normal distribution
NEW_SHARE = 0.01  # share of the rows that may have values never seen before
USUAL_SHARE = 0.02  # a value this common does not disappear by chance
OFTEN = 0.45  # counts may differ by a factor of 1 + this; half and double raise an alert
DRIFT = 0.1  # share of the rows that may have moved from one value to another


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
    """Measure -> its expected range; adds to ``profile.values`` how the columns' shares differ from the past."""
    before, daily = basis(profile, past)
    if not before:
        return {}
    basis_text = f"the same hour of {len(before)} earlier days" if daily else f"the {len(before)} hours before"
    ranges = {}
    for measure in measures:
        seen = [v for p in before if (v := p.values.get(measure.name)) is not None]
        if len(seen) >= ENOUGH and measure.name not in NOT_COMPARED and (daily or not _is_daily(measure.name)):
            ranges[measure.name] = _range(measure, seen, max(profile.rows, 1.0), basis_text)
    columns = [c for c in profile.shares if daily or c not in DAILY_COLUMNS]
    for column in columns if profile.rows >= FEW_ROWS else []:
        ranges |= _shifts(profile, column, [p.shares[column] for p in before if p.shares.get(column)], basis_text)
    return ranges


def _is_daily(name: str) -> bool:
    return name in DAILY or name.endswith(DAILY_COLUMNS)


def _range(measure: Measure, seen: Sequence[float], rows: float, basis_text: str) -> Range:
    middle = median(seen)
    spread = DEVIATION * median(abs(v - middle) for v in seen)
    wide = 4 * (1 + 4 / len(seen)) * spread  # wider for few hours, whose spread is uncertain
    why = f"{middle:.6g} is usual in {basis_text}"
    if measure.scale == Scale.COUNT:
        times = 1 + max(OFTEN, wide / middle if middle else 0.0, 6 / math.sqrt(max(middle, 1.0)))
        return Range(middle / times, middle * times, why)
    width = max(wide, _noise(measure.scale, middle, rows))
    low = None if measure.name.startswith(ONE_SIDED) else middle - width
    return Range(low, middle + width, why)


def _noise(scale: Scale, middle: float, rows: float) -> float:
    """The deviation that chance explains for this many rows, or that is too small to matter."""
    if scale == Scale.SHARE:
        return max(0.03, 6 * math.sqrt(max(middle * (1 - middle), 1 / rows) / rows))
    if scale == Scale.LEVEL:
        return max(0.15, 6 * 2 / math.sqrt(rows))  # logarithms of ids and lengths deviate by at most 2
    return max(120.0, 3 * middle)


def _shifts(profile: Profile, column: str, before: Sequence[Mapping[str, float]], basis_text: str) -> dict[str, Range]:
    """Ranges for how a column's values changed: new values, missing values, and total drift."""
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
        f"new_values_share_{column}": Range(None, NEW_SHARE + chance**2, f"share of values not seen in {basis_text}"),
        f"gone_values_share_{column}": Range(None, 0.0, f"share of values that are usual in {basis_text}"),
        f"drift_{column}": Range(None, max(DRIFT, 3 * earlier), f"{earlier:.3g} is usual in {basis_text}"),
    }


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Share of the rows that would have to change their value to make the two equal."""
    return sum(abs(one.get(value, 0.0) - other.get(value, 0.0)) for value in {*one, *other}) / 2
