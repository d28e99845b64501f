"""The coordinates of charts, in SVG units; the template draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pinwheel.core.days import LocalHour
from pinwheel.reports import words
from pinwheel.reports.period import Period

WIDTH, HEIGHT = 720, 240
LEFT, TOP, BOTTOM = 60, 18, 38  # margins for the axes' labels
GAP = 0.28  # share of a bar's slot that stays empty
CELL, ROW_HEAD, COLUMN_HEAD = 26, 96, 30  # of a heat map
SHADES = 5


@dataclass(frozen=True)
class Bar:
    """Two stacked bars, and a mark for the previous period, None if it has no such hour; ``label`` is the tooltip."""

    x: float
    width: float
    lower_y: float
    lower_height: float
    upper_y: float
    upper_height: float
    before_y: float | None
    label: str


@dataclass(frozen=True)
class Tick:
    """A label on an axis; a minor one is hidden on narrow screens."""

    at: float
    text: str
    is_minor: bool = False


@dataclass(frozen=True)
class Bars:
    """A bar chart: repins below, comments above, the previous period as a line."""

    bars: tuple[Bar, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    before_line: str
    left: int = LEFT
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Cell:
    """An hour of a heat map; ``shade`` from 0 (no engagement) to 5 (the busiest hours)."""

    x: float
    y: float
    shade: int
    label: str


@dataclass(frozen=True)
class HeatMap:
    """Hours across, days down."""

    cells: tuple[Cell, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: int
    height: int
    cell: int = CELL


def top_of_axis(most: int) -> int:
    """The next round number from ``most`` up whose half is round too."""
    if most <= 4:
        return max(2, 2 * math.ceil(most / 2))
    size = 10 ** math.floor(math.log10(most))
    return int(next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= most))


def by_hour(period: Period, hours: Sequence[tuple[int, int]], before: Sequence[int]) -> Bars:
    """A day with one bar per hour by the clock, midnight first; ``before``: in the hours of the day before."""
    clock = period.hours
    ticks = [Tick(n, f"{at.local:%H:%M}", at.local.hour % 6 != 0) for n, at in enumerate(clock) if _is_third(at)]
    return _bars(hours, period.aligned(before), ticks, [words.hour(at) for at in clock])


def _is_third(hour: LocalHour) -> bool:
    return hour.local.hour % 3 == 0 and not hour.local.fold


def by_day(period: Period, hours: Sequence[tuple[int, int]], before: Sequence[int]) -> Bars:
    """Several days with one bar per day."""
    repins, comments = (daily(period, [hour[n] for hour in hours]) for n in (0, 1))
    days = _days(period)
    each = max(1, period.days // 8)
    ticks = [Tick(n, words.time(d, "EEE d"), n % (2 * each) != 0) for n, d in enumerate(days) if n % each == 0]
    names = [words.time(d, "EEEE d MMMM") for d in days]
    return _bars(list(zip(repins, comments, strict=True)), daily(period.before, before), ticks, names)


def daily(period: Period, hours: Sequence[int]) -> list[int]:
    """The sums of each day's hours."""
    sums = [0] * period.days
    for hour, count in zip(period.hours, hours, strict=True):
        sums[period.day_of(hour)] += count
    return sums


def _days(period: Period) -> list[datetime]:
    """Its days, as times that words can name."""
    return [words.noon(period.first_day + timedelta(days=n)) for n in range(period.days)]


def _bars(
    values: Sequence[tuple[int, int]], before: Sequence[int | None], ticks: Sequence[Tick], names: Sequence[str]
) -> Bars:
    top = top_of_axis(max([*(sum(v) for v in values), *(b or 0 for b in before)], default=0))
    floor, place = HEIGHT - BOTTOM, (WIDTH - LEFT) / max(1, len(values))

    def y(value: float) -> float:
        return round(floor - (floor - TOP) * value / top, 1)

    bars = tuple(
        Bar(
            x=round(LEFT + place * (n + GAP / 2), 1),
            width=round(place * (1 - GAP), 1),
            lower_y=y(repins),
            lower_height=round(floor - y(repins), 1),
            upper_y=y(repins + comments),
            upper_height=round(y(repins) - y(repins + comments), 1),
            before_y=None if earlier is None else y(earlier),
            label=f"{name}: {words.whole(repins)} repins, {words.whole(comments)} comments; "
            + ("no such hour before" if earlier is None else f"before {words.whole(earlier)} together"),
        )
        for n, ((repins, comments), earlier, name) in enumerate(zip(values, before, names, strict=True))
    )
    return Bars(
        bars,
        tuple(Tick(y(value), words.short(value)) for value in (0, top / 2, top)),
        tuple(Tick(round(LEFT + place * (t.at + 0.5), 1), t.text, t.is_minor) for t in ticks),
        " ".join(
            f"{'L' if n and bars[n - 1].before_y is not None else 'M'}{LEFT + place * n:.1f} {b.before_y}"
            f"H{LEFT + place * (n + 1):.1f}"
            for n, b in enumerate(bars)
            if b.before_y is not None
        ),
    )


def heat_map(period: Period, hours: Sequence[tuple[int, int]]) -> HeatMap:
    """Every hour of several days by the clock; the shades are fifths of the busiest hour.

    An hour that the clock shows twice is one cell with both; one that it leaves out is none.
    """
    counts: dict[tuple[int, int], int] = {}
    for at, (repins, comments) in zip(period.hours, hours, strict=True):
        place = period.day_of(at), at.local.hour
        counts[place] = counts.get(place, 0) + repins + comments
    most = max(counts.values(), default=0)
    days = _days(period)
    cells = []
    for (day, hour), count in counts.items():
        label = f"{words.time(days[day].replace(hour=hour), 'EEE d MMMM HH:00')}: {words.whole(count)}"
        shade = math.ceil(SHADES * count / most) if count else 0
        cells.append(Cell(ROW_HEAD + CELL * hour, COLUMN_HEAD + CELL * day, shade, label))
    middle = CELL / 2
    return HeatMap(
        tuple(cells),
        tuple(Tick(ROW_HEAD + CELL * n + middle, f"{n:02}", n % 6 != 0) for n in range(0, 24, 3)),
        tuple(Tick(COLUMN_HEAD + CELL * n + middle, words.time(d, "EEE d")) for n, d in enumerate(days)),
        ROW_HEAD + CELL * 24,
        COLUMN_HEAD + CELL * period.days,
    )
