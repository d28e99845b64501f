"""Numbers, days and countries as people write them."""

import re
from datetime import datetime, timedelta

from babel import Locale

from pinwheel.reports.period import Period

MINUS = "\N{MINUS SIGN}"
_COUNTRIES = Locale("en").territories
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")  # no character of a page
LONGEST = 160  # characters of a title on a page; the CSV has all of them


def whole(number: int) -> str:
    """1,234,567."""
    return f"{number:,}".replace("-", MINUS)


def signed(number: int) -> str:
    """+1,234."""
    return f"+{number:,}" if number > 0 else whole(number)


def short(number: float) -> str:
    """For an axis: 950, 1.5k, 20k, 3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return f"{number:g}"


def change(now: int, before: int) -> str:
    """How much more it is than before: +12%, −5%, ×14, new, no change."""
    if now == before:
        return "no change"
    if not before:
        return "new"
    if now >= 10 * before:
        return f"×{now / before:,.0f}"
    percent = 100 * (now - before) / before
    digits = 0 if abs(percent) >= 10 else 1
    told = f"{abs(percent):.{digits}f}".removesuffix(".0")
    return f"{'+' if percent > 0 else MINUS}{told if float(told) else 'under 0.1'}%"


def direction(now: int, before: int) -> str:
    """up, down or same: how it is coloured."""
    return "up" if now > before else "down" if now < before else "same"


def chance(value: float) -> str:
    """1 in 4,500; rarer than one in a million is said so."""
    if value < 1e-6:
        return "under 1 in 1,000,000"
    return f"1 in {round(1 / value):,}"


def country(code: str) -> str:
    """Its name, in English."""
    return "Not known" if code == "ZZ" else _COUNTRIES.get(code, code)


def days(period: Period) -> str:
    """Saturday 14 March 2026, or 9 – 15 March 2026."""
    first, last = period.start, period.end - timedelta(days=1)
    if period.days == 1:
        return f"{first:%A} {first.day} {first:%B %Y}"
    start = f"{first.day}"
    if first.month != last.month:
        start += f" {first:%B}"
    if first.year != last.year:
        start += f" {first:%Y}"
    return f"{start} – {last.day} {last:%B %Y}"


def title(period: Period) -> str:
    """What the report is called: Daily report, Weekly report, Report of 3 days."""
    return {"day": "Daily report", "week": "Weekly report"}.get(period.kind, f"Report of {period.days} days")


def before(period: Period) -> str:
    """What it is compared with: the day before, the week before, the 3 days before."""
    return f"the {period.kind} before"


def moment(at: datetime) -> str:
    """15 March 2026, 04:30 UTC."""
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def clean(text: str) -> str:
    """A text of somebody's without what no page can hold: NUL and its like, halves of characters."""
    return _CONTROL.sub("", text)


def cut(text: str) -> str:
    """The beginning of a long text."""
    told = clean(text)
    return told if len(told) <= LONGEST else told[: LONGEST - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """For a header of a mail, which ends with its line."""
    return " ".join(clean(text).split())
