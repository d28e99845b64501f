"""Numbers, days and countries as people write them."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_compact_decimal, parse_pattern

from pinwheel.core.days import NAMED_UTC, LocalHour, local
from pinwheel.reports.period import Period

MINUS = "\N{MINUS SIGN}"
_ENGLISH = Locale("en")
_WHOLE, _PERCENT, _TENTHS = (
    parse_pattern(pattern) for pattern in (f"#,##0;{MINUS}#,##0", f"+0%;{MINUS}0%", f"+0.#%;{MINUS}0.#%")
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")  # no character of a page
KEPT = 4096  # cached numbers and times: babel takes 5 and 20 µs for one, and a period's reports share their times
LONGEST = 160  # characters of a title on a page; the CSV has the whole title


@lru_cache(KEPT)
def whole(number: int) -> str:
    """1,234,567."""
    return str(_WHOLE.apply(number, _ENGLISH))


def signed(number: int) -> str:
    """+1,234."""
    return f"+{whole(number)}" if number > 0 else whole(number)


def short(number: float) -> str:
    """For an axis: 950, 1.5k, 20k, 3M."""
    return format_compact_decimal(number, locale=_ENGLISH, fraction_digits=1).replace("K", "k")


def change(now: int, before: int) -> str:
    """The change since before: +12%, −5%, ×14, new, no change."""
    if now == before:
        return "no change"
    if not before:
        return "new"
    if now >= 10 * before:
        return f"×{whole(round(now / before))}"
    share = (now - before) / before
    if abs(share) <= 0.0005:
        return f"{'+' if share > 0 else MINUS}under 0.1%"
    return str((_PERCENT if abs(share) >= 0.1 else _TENTHS).apply(share, _ENGLISH))


def compared(now: int, before: int, name: str) -> str:
    """The change since before in a sentence: 18 % more than the day before, none the day before."""
    if not now or not before:
        return f"nor {name}" if now == before else f"{whole(before)} {name}" if before else f"none {name}"
    if now == before:
        return f"as many as {name}"
    if now >= 10 * before:
        return f"{whole(round(now / before))} times as many as {name}"
    share = round(100 * abs(now - before) / before)
    return f"{whole(share) if share else 'under 1'} % {'more' if now > before else 'fewer'} than {name}"


def engagements(number: int) -> str:
    """1,204 engagements, 1 engagement, no engagement."""
    return f"{whole(number) if number else 'no'} engagement{'s' if number > 1 else ''}"


def direction(now: int, before: int) -> str:
    """up, down or same: the CSS class of a change."""
    return "up" if now > before else "down" if now < before else "same"


def chance(value: float) -> str:
    """1 in 4,500; below that range: under 1 in 1,000,000."""
    if value < 1e-6:
        return "under 1 in 1,000,000"
    return f"1 in {whole(round(1 / value))}"


def country(code: str) -> str:
    """Its English name."""
    return "Not known" if code == "ZZ" else _ENGLISH.territories.get(code, code)


@lru_cache(KEPT)
def time(at: datetime, pattern: str) -> str:
    """A time in a CLDR pattern: ``EEE d MMMM`` gives Sat 14 March."""
    return str(format_datetime(at, pattern, locale=_ENGLISH))


def days(period: Period) -> str:
    """Saturday 14 March 2026, or 9 – 15 March 2026."""
    first, last = noon(period.first_day), noon(period.next_day - timedelta(days=1))
    if period.days == 1:
        return time(first, "EEEE d MMMM y")
    start = "d" if first.month == last.month else "d MMMM" if first.year == last.year else "d MMMM y"
    return f"{time(first, start)} – {time(last, 'd MMMM y')}"


def days_there(period: Period) -> str:
    """Saturday 14 March 2026, Europe/Berlin."""
    return f"{days(period)}, {period.time_zone}"


def on(period: Period) -> str:
    """The same in a sentence without the year: on 14 March, from 9 to 15 March."""
    first, last = noon(period.first_day), noon(period.next_day - timedelta(days=1))
    if period.days == 1:
        return f"on {time(first, 'd MMMM')}"
    return f"from {time(first, 'd' if first.month == last.month else 'd MMMM')} to {time(last, 'd MMMM')}"


def title(period: Period) -> str:
    """The report's title: Daily report, Weekly report, Report of 3 days."""
    return {"day": "Daily report", "week": "Weekly report"}.get(period.kind, f"Report of {period.days} days")


def before(period: Period) -> str:
    """The previous period's name: the day before, the week before, the 3 days before."""
    return f"the {period.kind} before"


def moment(at: datetime, time_zone: str = NAMED_UTC) -> str:
    """15 March 2026, 04:30 UTC; of a naive UTC time, by the clock of a zone."""
    return f"{time(local(at, time_zone).replace(tzinfo=None), 'd MMMM y, HH:mm')} {time_zone}"


def hour(at: LocalHour) -> str:
    """13:00; the second time that a clock shows an hour: 02:00 again."""
    return f"{at.local:%H:%M}{' again' if at.local.fold else ''}"


def noon(day: date) -> datetime:
    """A day as a time, which ``time`` can write."""
    return datetime(day.year, day.month, day.day, 12)


def clean(text: str) -> str:
    """A text without characters that no page can hold: control characters and lone surrogates."""
    return _CONTROL.sub("", text)


def cut(text: str) -> str:
    """The beginning of a long text."""
    cleaned = clean(text)
    return cleaned if len(cleaned) <= LONGEST else cleaned[: LONGEST - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """A text for a mail header, which must be one line."""
    return " ".join(clean(text).split())
