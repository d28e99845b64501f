"""A report's numbers as CSV files, for spreadsheets and programs."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain

from pinwheel.reports import words
from pinwheel.reports.numbers import Group
from pinwheel.reports.page import CARDS
from pinwheel.reports.revisions import Report

FILES = (
    "totals.csv",
    "hours.csv",
    "pins.csv",
    "categories.csv",
    "countries.csv",
    "trends.csv",
    "changes.csv",  # must be last: a first revision does not have it
)
# Signs that begin a formula where a spreadsheet's cell begins: at the start of a text, and after the separators of
# other countries. The full-width forms run, too.
FORMULA = re.compile(r"""((?:\A|[;|\t\r\n])[\s"'\u200b-\u200f\u2060\ufeff]*)([=+\-@＝＋－＠])""")
_Cell = str | int | float | Decimal | None


def tables(report: Report) -> dict[str, bytes]:
    """Every table by its file name; the same columns in every report."""
    numbers = report.numbers
    files = {
        "totals.csv": table(("measure", "count", "count_before"), _totals(report)),
        "hours.csv": table(
            ("hour_utc", "repins", "comments", "engagement", "engagement_before", "hour_local", "time_zone"),
            _hours(report),
        ),
        "pins.csv": table(
            ("place", "pin_id", "title", "category", "repins", "comments", "engagement", "engagement_before"),
            ((n + 1, int(g.key), g.title, g.category, *_counts(g)) for n, g in enumerate(numbers.pins)),
        ),
        "categories.csv": table(
            ("category", "repins", "comments", "engagement", "engagement_before"),
            ((g.key, *_counts(g)) for g in numbers.categories),
        ),
        "countries.csv": table(
            ("country_code", "country", "people", "repins", "comments", "engagement", "engagement_before"),
            ((g.key, words.country(g.key), g.people, *_counts(g)) for g in numbers.countries),
        ),
        "trends.csv": table(
            ("kind", "pin_id_or_category", "title", "engagement", "engagement_before", "chance"),
            (
                (t.kind, t.group.key, t.group.title, t.group.engagement, t.group.before, t.chance)
                for t in numbers.trends
            ),
        ),
    }
    if report.revision > 1:  # also of the first in another time zone, which is compared with none
        rows = ((change.name, change.before, change.after) for change in report.changes)
        files["changes.csv"] = table(("number", "before", "after"), rows)
    return files


def table(columns: Sequence[str], rows: Iterable[Sequence[_Cell]]) -> bytes:
    """CSV as in RFC 4180, in UTF-8 with the byte order mark that spreadsheets need."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([_safe(cell) for cell in row] for row in chain([columns], rows))
    return text.getvalue().encode("utf-8-sig")


def _safe(cell: _Cell) -> _Cell:
    """A cell that no spreadsheet runs as a formula: such a text gets a quote before it. Numbers are ours, thus safe."""
    return FORMULA.sub(r"\1'\2", words.clean(cell)) if isinstance(cell, str) else cell


def _totals(report: Report) -> list[tuple[str, int, int]]:
    now, before = report.numbers.now, report.numbers.before
    return [(field, getattr(now, field), getattr(before, field)) for field in CARDS]


def _hours(report: Report) -> list[tuple[str, int, int, int, int | None, str, str]]:
    period, numbers = report.period, report.numbers
    rows = zip(period.hours, numbers.hours, period.aligned(numbers.hours_before), strict=True)
    return [
        (_written(hour.at), repins, comments, repins + comments, before, _written(hour.local), period.time_zone)
        for hour, (repins, comments), before in rows
    ]


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _counts(group: Group) -> tuple[int, int, int, int]:
    return group.repins, group.comments, group.engagement, group.before
