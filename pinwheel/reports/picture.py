"""A chart as a PNG, for mails: mail programs show no SVG.

Its ground is transparent and its colours are readable on white and on black, because a mail can't know its ground.
"""

import io
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from pinwheel.reports.charts import Bars

SCALE = 2  # pixels per unit of the chart: sharp on phones
TYPE = 22  # units; a phone shows the chart at half its size
DASH = 5
REPINS, COMMENTS, QUIET, GRID = "#e0355f", "#0f93ab", "#748296", "#8291a855"


def png(chart: Bars) -> bytes:
    """The chart with its major labels."""
    image = Image.new("RGBA", (chart.width * SCALE, chart.height * SCALE), "#00000000")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(TYPE * SCALE)
    for tick in chart.y_ticks:
        _line(draw, chart.left, chart.width, tick.at, GRID)
        draw.text(_at(chart.left - 8, tick.at), tick.text, QUIET, font, anchor="rm")
    for bar in chart.bars:
        _box(draw, bar.x, bar.lower_y, bar.width, bar.lower_height, REPINS)
        _box(draw, bar.x, bar.upper_y, bar.width, bar.upper_height, COMMENTS)
    for x, to, y in _before(chart):
        _line(draw, x, to, y, QUIET)
    for tick in chart.x_ticks:
        if not tick.is_minor:
            draw.text(_at(tick.at, chart.height - 6), tick.text, QUIET, font, anchor="ms")
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _before(chart: Bars) -> Iterator[tuple[float, float, float]]:
    """The dashes of the previous period's line."""
    place = (chart.width - chart.left) / max(1, len(chart.bars))
    for n, bar in enumerate(chart.bars):
        ends = range(round(chart.left + place * n), round(chart.left + place * (n + 1)), DASH)
        y = bar.before_y
        if y is None:
            continue
        yield from ((x, to, y) for x, to in list(pairwise(ends))[::2])


def _at(x: float, y: float) -> tuple[float, float]:
    return x * SCALE, y * SCALE


def _line(draw: ImageDraw.ImageDraw, x: float, to: float, y: float, colour: str) -> None:
    draw.line((*_at(x, y), *_at(to, y)), colour, width=SCALE)


def _box(draw: ImageDraw.ImageDraw, x: float, y: float, width: float, height: float, colour: str) -> None:
    if height > 0:
        draw.rectangle((*_at(x, y), *_at(x + width, y + height)), colour)
