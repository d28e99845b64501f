"""Read the numbers of many brands at once from the reporting tables: five statements for fifty brands.

One brand at a time would take 2,500 statements for 500 brands.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.days import whole_hour
from pinwheel.reports.numbers import MAX_LISTED, Group, Numbers, Quality, Totals
from pinwheel.reports.period import Period
from pinwheel.reports.trends import rising

CHECKED = ("pins", "repins", "comments")  # the tables that a brand's numbers are counted from


def read(connection: Connection, period: Period, brand_ids: Sequence[int]) -> dict[int, Numbers]:
    """Brand id -> numbers, all from one snapshot; a brand without events has zeros."""
    params = {
        "brand_ids": list(brand_ids),
        "before_hour": whole_hour(period.before.start),
        "before_time": period.before.start,
        "from_time": period.start,
        "to_time": period.end,
    }
    is_of_whole_hours = period.is_of_whole_hours
    by = {"time_column": "occurred_hour" if is_of_whole_hours else "occurred_at"}
    with memsql.snapshot(connection):
        hours = _by_brand(memsql.fetch(connection, f"reports/{'hours' if is_of_whole_hours else 'quarters'}", params))
        people = _by_brand(memsql.fetch(connection, "reports/people", params, **by))
        countries = _by_brand(memsql.fetch(connection, "reports/countries", params, **by))
        engagement = _by_brand(memsql.fetch(connection, "reports/engagement", params, **by))
        untitled = {b: _numbers(period, hours[b], people[b], countries[b], engagement[b]) for b in brand_ids}
        titles = _titles(connection, untitled.values())
    return {brand: _titled(numbers, titles) for brand, numbers in untitled.items()}


def _by_brand(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    by_brand: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_brand[row["brand_id"]].append(row)
    return by_brand


def _numbers(
    period: Period,
    hours: Sequence[Row],
    people: Sequence[Row],
    countries: Sequence[Row],
    engagement: Sequence[Row],
) -> Numbers:
    """A brand's numbers; its pins have no titles yet."""
    persons = {bool(row["is_before"]): row for row in people}
    pins = _groups(engagement, "pin_id")
    categories = _groups(engagement, "category")
    return Numbers(
        now=_totals(hours, period, persons.get(False)),
        before=_totals(hours, period.before, persons.get(True)),
        hours=tuple(_hours(hours, period)),
        hours_before=tuple(repins + comments for repins, comments in _hours(hours, period.before)),
        pins=tuple(group for group in pins[:MAX_LISTED] if group.engagement),
        categories=tuple(group for group in categories if group.engagement),
        countries=tuple(_countries(countries)),
        trends=(*rising("pin", pins), *rising("category", categories)),
    )


def _hours(rows: Sequence[Row], period: Period) -> list[tuple[int, int]]:
    """Repins and comments in each hour of a period, from rows of UTC hours or of parts of them."""
    hours = period.hours
    counts = [(0, 0)] * len(hours)
    for row in _in(rows, period):
        n = bisect_right(hours, row["hour"], key=attrgetter("at")) - 1
        repins, comments = counts[n]
        counts[n] = repins + int(row["repins"]), comments + int(row["comments"])
    return counts


def _in(rows: Sequence[Row], period: Period) -> list[Row]:
    start, end = period.start, period.end
    return [row for row in rows if start <= row["hour"] < end]


def _totals(hours: Sequence[Row], period: Period, people: Row | None) -> Totals:
    rows = _in(hours, period)
    sums = {name: int(sum(row[name] for row in rows)) for name in ("repins", "comments", "pins")}
    persons = (int(people["engaged_people"]), int(people["pinning_people"])) if people else (0, 0)
    return Totals(**sums, people=persons[0], pinners=persons[1])


def _groups(rows: Sequence[Row], name: str) -> list[Group]:
    """Engagement by ``pin_id`` or ``category``, most engaged first; rows without that column's value are omitted."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        if row[name] is not None:
            group = sums[str(row[name])]
            for n, column in enumerate(("repins", "comments", "engagement_before")):
                group[n] += int(row[column])
    return _ranked(Group(key, repins, comments, before) for key, (repins, comments, before) in sums.items())


def _titles(connection: Connection, untitled: Iterable[Numbers]) -> dict[str, Row]:
    """Pin key -> title and category, for every pin in the numbers."""
    shown = {int(group.key) for numbers in untitled for group in _pins_of(numbers)}
    rows = memsql.fetch(connection, "reports/titles", {"pin_ids": sorted(shown)}) if shown else []
    return {str(row["pin_id"]): row for row in rows}


def _pins_of(numbers: Numbers) -> list[Group]:
    return [*numbers.pins, *(trend.group for trend in numbers.trends if trend.kind == "pin")]


def titled(connection: Connection, numbers: Numbers) -> Numbers:
    """Stored numbers with their pins' titles and categories, as far as they are known now."""
    with memsql.transaction(connection):
        return _titled(numbers, _titles(connection, [numbers]))


def _titled(numbers: Numbers, titles: Mapping[str, Row]) -> Numbers:
    def titled(pin: Group) -> Group:
        row = titles.get(pin.key)
        return replace(pin, title=row["title"], category=row["category"]) if row else pin

    trends = (replace(t, group=titled(t.group)) if t.kind == "pin" else t for t in numbers.trends)
    return replace(numbers, pins=tuple(map(titled, numbers.pins)), trends=tuple(trends))


def _countries(rows: Sequence[Row]) -> list[Group]:
    now = {row["country_code"]: row for row in rows if not row["is_before"]}
    before = {row["country_code"]: int(row["repins"] + row["comments"]) for row in rows if row["is_before"]}
    groups = [
        Group(code, int(row["repins"]), int(row["comments"]), before.get(code, 0), int(row["engaged_people"]))
        for code, row in now.items()
    ]
    return [group for group in _ranked(groups) if group.engagement]


def _ranked(groups: Iterable[Group]) -> list[Group]:
    """Most engaged first, then by key, so that the order is deterministic."""
    return sorted(groups, key=lambda g: (-g.engagement, len(g.key), g.key))


def quality(connection: Connection, period: Period) -> Quality:
    """The verdict of the quality checks on a period: the worst verdict of the UTC hours that it has a part of."""
    params = {"from_time": whole_hour(period.start), "to_time": period.end}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "reports/quality", params)
    checked = min(max((r["hours"] for r in rows if r["table_name"] == table), default=0) for table in CHECKED)
    unmet = [(r["table_name"], r["measure"], r["severity"], r["unmet_hours"]) for r in rows if r["unmet_hours"]]
    severities = {severity for _, _, severity, _ in unmet}
    hours = period.utc_hours
    if "critical" in severities:
        verdict = "failed"
    elif checked < hours:
        verdict = "unchecked"
    else:
        verdict = "warning" if severities else "passed"
    return Quality(verdict, hours, checked, tuple(sorted(unmet, key=lambda u: (u[2], -u[3], u[0], u[1]))))
