"""A report as a mail: its summary as HTML with a picture, the same as text, and the whole report attached.

Mail programs know tables and inline styles, and little else. The template escapes all text from outside.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage, MIMEPart
from typing import cast

from pinwheel.clients.memsql import Row
from pinwheel.reports import charts, page, picture, words
from pinwheel.reports.numbers import Brand, Change, Group, Numbers
from pinwheel.reports.period import Period

SHOWN = 5  # pins, countries, rises and changed numbers


@dataclass(frozen=True)
class Letter:
    """A report to mail. ``row``: of ``brand_reports``; ``base``: the address of the pages, empty: no links.

    ``counts_people``: false: its revision is from before people who made pins were counted apart.
    """

    brand: Brand
    period: Period
    numbers: Numbers
    row: Row
    base: str = ""
    counts_people: bool = True

    @property
    def name(self) -> str:
        """The brand's name, on one line."""
        return words.one_line(words.cut(self.brand.title))

    @property
    def report_url(self) -> str:
        """The address of the report's page; empty: not known."""
        key = f"{self.brand.brand_id}/{self.period.first_day}/{self.period.days}"
        return f"{self.base}/reports?report={key}" if self.base else ""

    @property
    def brand_url(self) -> str:
        """The address of the brand's running day; empty: not known."""
        return f"{self.base}/brand?brand={self.brand.brand_id}" if self.base else ""

    @property
    def cid(self) -> str:
        """The picture's Content-ID."""
        return f"{self.brand.brand_id}.{self.period.key}.{self.row['revision']}.curve@pinwheel"


def message(letter: Letter, to: Sequence[str], sender: str, report: bytes) -> EmailMessage:
    """The mail; ``report``: the whole page, to attach."""
    row, brand, period = letter.row, letter.brand, letter.period
    made = EmailMessage()
    made["Subject"] = subject(letter)
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Message-ID"] = f"<{brand.brand_id}.{period.key}.{row['revision']}@pinwheel>"
    made["Auto-Submitted"] = "auto-generated"  # prevents out-of-office replies
    made.set_content(text(letter))
    made.add_alternative(html(letter), subtype="html")
    body = cast(MIMEPart, made.get_body(("html",)))
    curve = picture.png(_chart(letter))
    body.add_related(curve, "image", "png", cid=f"<{letter.cid}>", filename="engagement.png", disposition="inline")
    name = f"brand-{brand.brand_id}-{period.key}-r{row['revision']}.html"
    made.add_attachment(report, maintype="text", subtype="html", filename=name)
    return made


def subject(letter: Letter) -> str:
    """Halden: 1,204 engagements on 14 March, 18 % more than the day before."""
    now, before = letter.numbers.now.engagement, letter.numbers.before.engagement
    revised = f" (revision {letter.row['revision']})" if letter.row["revision"] > 1 else ""
    compared = words.compared(now, before, words.before(letter.period))
    return f"{letter.name}: {words.engagements(now)} {words.on(letter.period)}, {compared}{revised}"


def html(letter: Letter) -> str:
    """The body as HTML."""
    numbers, row = letter.numbers, letter.row
    return (
        page.environment()
        .get_template("mail.html.jinja")
        .render(
            letter=letter,
            subject=subject(letter),
            kind=words.title(letter.period),
            days=words.days_there(letter.period),
            before_name=words.before(letter.period),
            now=numbers.now.engagement,
            before=numbers.before.engagement,
            cards=cards(letter),
            notices=notices(row, letter.period.time_zone),
            best=best(letter),
            picture_says=f"Repins and comments by {'hour' if letter.period.days == 1 else 'day'}",
            pins=[(page.pin_name(g), g) for g in numbers.pins[:SHOWN]],
            countries=[(words.country(g.key), g) for g in numbers.countries[:SHOWN]],
            rises=rises(numbers),
            new=new(letter),
            changes=changed(letter),
            changes_title=changes_title(letter),
            colours={"repins": picture.REPINS, "comments": picture.COMMENTS},
        )
    )


def text(letter: Letter) -> str:
    """The same as text, which can be read alone."""
    numbers, period = letter.numbers, letter.period
    lines = [f"{words.title(period)} of {letter.name}, {words.days_there(period)}", ""]
    now, before = numbers.now.engagement, numbers.before.engagement
    lines.append(f"Engagement (repins and comments): {_counted(now, before, words.before(period))}")
    lines += [f"{name}: {_counted(one, other, words.before(period))}" for name, one, other in cards(letter)]
    lines += ["", *best(letter), *notices(letter.row, period.time_zone)]
    lines += _listed("Top pins", [(page.pin_name(g), g) for g in numbers.pins[:SHOWN]])
    lines += _listed("Countries", [(words.country(g.key), g) for g in numbers.countries[:SHOWN]])
    lines += _listed("What rose", rises(numbers))
    lines += ["", *new(letter)] if new(letter) else []
    if letter.row["revision"] > 1:
        lines += ["", f"{changes_title(letter)}."]
        lines += [f"  {name}: {one} -> {other}" for name, one, other in changed(letter)]
    lines += ["", "The whole report is attached, to read or print."]
    if letter.base:
        lines += [f"The report, and its numbers as CSV files: {letter.report_url}", f"Today: {letter.brand_url}"]
    return "\n".join([*lines, ""])


def _counted(now: int, before: int, before_name: str) -> str:
    return f"{words.whole(now)}, {words.change(now, before)} against {before_name} ({words.whole(before)})"


def _listed(title: str, groups: Sequence[tuple[str, Group]]) -> list[str]:
    lines = [
        f"  {words.one_line(name)}: {words.whole(g.engagement)}, {words.change(g.engagement, g.before)}"
        for name, g in groups
    ]
    return ["", f"{title}:", *lines] if lines else []


def cards(letter: Letter) -> list[tuple[str, int, int]]:
    """The totals but engagement, which is the headline; people only where the revision counts them as today."""
    now, before = letter.numbers.now, letter.numbers.before
    hidden = {"engagement"} if letter.counts_people else {"engagement", "people", "pinners"}
    fields = [field for field in page.CARDS if field not in hidden]
    return [(page.CARDS[field], getattr(now, field), getattr(before, field)) for field in fields]


def notices(row: Row, time_zone: str) -> list[str]:
    """Sentences about a report that is not complete, by the clock of its zone, or whose data did not pass."""
    found = []
    if not row["is_complete"]:
        through = row["complete_through"]
        up_to = f"; it includes everything received by {words.moment(through, time_zone)}" if through else ""
        found.append(f"This report is not complete{up_to}. The next revision will be.")
    if row["verdict"] in ("failed", "warning"):
        found.append(f"Data quality: {page.VERDICTS[row['verdict']]}.")
    return found


def best(letter: Letter) -> list[str]:
    """The best hour or day, and the best pin."""
    numbers, period = letter.numbers, letter.period
    counts = [sum(hour) for hour in numbers.hours]
    if period.days > 1:
        counts = charts.daily(period, counts)
    if not any(counts):
        return [f"Nobody engaged with the brand’s pins in this {'day' if period.days == 1 else 'period'}."]
    most = max(counts)
    at = counts.index(most)
    day = words.noon(period.first_day + timedelta(days=at))
    name = words.hour(period.hours[at]) if period.days == 1 else words.time(day, "EEEE d MMMM")
    found = [f"Best {'hour' if period.days == 1 else 'day'}: {name}, {words.engagements(most)}."]
    if numbers.pins:
        pin = numbers.pins[0]
        found.append(f"Best pin: {words.one_line(page.pin_name(pin))}, {words.engagements(pin.engagement)}.")
    return found


def rises(numbers: Numbers) -> list[tuple[str, Group]]:
    """The pins and categories that rose."""
    return [(page.trend_name(t.group, t.kind), t.group) for t in numbers.trends[:SHOWN]]


def new(letter: Letter) -> list[str]:
    """New pins of several days, and pins without engagement in the period before."""
    if letter.period.days == 1:
        return []
    pins = letter.numbers.now.pins
    first = [words.one_line(page.pin_name(g)) for g in letter.numbers.pins if not g.before][:SHOWN]
    made = [f"{words.whole(pins)} new {'pin was' if pins == 1 else 'pins were'} made."] if pins else []
    named = [f"Pins without engagement {words.before(letter.period)}: {'; '.join(first)}."] if first else []
    return [*made, *named]


def changes_title(letter: Letter) -> str:
    """How much a later revision changed, or why that is not known."""
    row = letter.row
    if not row["earlier_revisions"]:
        return f"Revision {row['revision']} is the first with days of {letter.period.time_zone}"
    return f"Revision {row['revision']}: {words.whole(row['change_count'])} numbers changed"


def changed(letter: Letter) -> list[tuple[str, str, str]]:
    """The first changed numbers of a later revision: name, before and now."""
    if letter.row["revision"] == 1:
        return []
    titles = {g.key: g.title for g in letter.numbers.pins}
    found = [Change(**change) for change in json.loads(letter.row["changes"])[:SHOWN]]
    return [
        (words.one_line(page.number_name(c.name, letter.period, titles)), _shown(c.before), _shown(c.after))
        for c in found
    ]


def _shown(number: int | None) -> str:
    return "not listed" if number is None else words.whole(number)


def _chart(letter: Letter) -> charts.Bars:
    numbers, period = letter.numbers, letter.period
    if period.days == 1:
        return charts.by_hour(period, numbers.hours, numbers.hours_before)
    return charts.by_day(period, numbers.hours, numbers.hours_before)
