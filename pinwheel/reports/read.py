"""The numbers of many brands at once, from the reporting tables: four statements for fifty brands.

One brand at a time would be 2,000 for 500 brands.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.reports.numbers import MAX_LISTED, Group, Numbers, Quality, Totals
from pinwheel.reports.period import Period
from pinwheel.reports.trends import LEAST, rising

HOUR = timedelta(hours=1)
CHECKED = ("pins", "repins", "comments")  # what a brand's numbers are counted from

_Hours = dict[datetime, Row]


def read(connection: Connection, period: Period, brand_ids: Sequence[int]) -> dict[int, Numbers]:
    """Every one of these brands' numbers, as of one moment; a brand without events has zeros."""
    params = {
        "brand_ids": list(brand_ids),
        "before_time": period.before.start,
        "from_time": period.start,
        "to_time": period.end,
    }
    memsql.execute(connection, "reports/snapshot")
    with memsql.transaction(connection):
        hours = _by_brand(memsql.fetch(connection, "reports/hours", params))
        people = _by_brand(memsql.fetch(connection, "reports/people", params))
        countries = _by_brand(memsql.fetch(connection, "reports/countries", params))
        found = params | {"top": MAX_LISTED, "least": LEAST}
        pins = _by_brand(memsql.fetch(connection, "reports/pins", found))
    return {brand: _numbers(period, hours[brand], people[brand], countries[brand], pins[brand]) for brand in brand_ids}


def _by_brand(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["brand_id"]].append(row)
    return found


def _numbers(
    period: Period,
    hours: Sequence[Row],
    people: Sequence[Row],
    countries: Sequence[Row],
    pins: Sequence[Row],
) -> Numbers:
    by_hour = {row["hour"]: row for row in hours}
    persons = {bool(row["is_before"]): int(row["unique_people"]) for row in people}
    by_category = _ranked(_group(row, "category", row["category"]) for row in pins if row["is_category"])
    of_pins = {row["pin_id"]: row for row in pins if row["is_pin"]}
    by_pin = {pin_id: _pin(row) for pin_id, row in of_pins.items()}
    compared = int(pins[0]["compared"]) if pins else 0
    busy = sum(group.engagement >= LEAST for group in by_category)
    trends = [*rising("pin", list(by_pin.values()), compared), *rising("category", by_category, busy)]
    return Numbers(
        now=_totals(by_hour, period, persons.get(False, 0)),
        before=_totals(by_hour, period.before, persons.get(True, 0)),
        hours=tuple(_hour(by_hour.get(at)) for at in _hours_of(period)),
        hours_before=tuple(sum(_hour(by_hour.get(at))) for at in _hours_of(period.before)),
        pins=tuple(_ranked(by_pin[pin_id] for pin_id, row in of_pins.items() if _is_listed(row))),
        categories=tuple(group for group in by_category if group.engagement),
        countries=tuple(_countries(countries)),
        trends=tuple(trends),
    )


def _hours_of(period: Period) -> list[datetime]:
    return [period.start + HOUR * n for n in range(24 * period.days)]


def _hour(row: Row | None) -> tuple[int, int]:
    return (int(row["repins"]), int(row["comments"])) if row else (0, 0)


def _totals(by_hour: _Hours, period: Period, people: int) -> Totals:
    rows = [row for at, row in by_hour.items() if period.start <= at < period.end]
    sums = {name: int(sum(row[name] for row in rows)) for name in ("repins", "comments", "pins")}
    return Totals(**sums, people=people)


def _is_listed(row: Row) -> bool:
    """Whether a pin is among the top; others are there for being a trend, or the first of their category."""
    return bool(row["place"] <= MAX_LISTED and row["pin_repins"] + row["pin_comments"] > 0)


def _group(row: Row, kind: str, key: str) -> Group:
    return Group(key, int(row[f"{kind}_repins"]), int(row[f"{kind}_comments"]), int(row[f"{kind}_before"]))


def _pin(row: Row) -> Group:
    return replace(_group(row, "pin", str(row["pin_id"])), title=row["title"], category=row["pin_category"])


def _countries(rows: Sequence[Row]) -> list[Group]:
    now = {row["country_code"]: row for row in rows if not row["is_before"]}
    before = {row["country_code"]: int(row["repins"] + row["comments"]) for row in rows if row["is_before"]}
    found = [
        Group(code, int(row["repins"]), int(row["comments"]), before.get(code, 0), int(row["unique_people"]))
        for code, row in now.items()
    ]
    return [group for group in _ranked(found) if group.engagement]


def _ranked(groups: Iterable[Group]) -> list[Group]:
    """Most engaged first, then by key, so that the same numbers are always in the same order."""
    return sorted(groups, key=lambda g: (-g.engagement, len(g.key), g.key))


def quality(connection: Connection, period: Period) -> Quality:
    """The verdict of the quality checks on a period: the worst that any of its hours has."""
    params = {"from_time": period.start, "to_time": period.end}
    with memsql.transaction(connection):
        rows = memsql.fetch(connection, "reports/quality", params)
    checked = min(max((r["hours"] for r in rows if r["table_name"] == table), default=0) for table in CHECKED)
    unmet = [(r["table_name"], r["measure"], r["severity"], r["unmet_hours"]) for r in rows if r["unmet_hours"]]
    severities = {severity for _, _, severity, _ in unmet}
    hours = 24 * period.days
    if "critical" in severities:
        verdict = "failed"
    elif checked < hours:
        verdict = "unchecked"
    else:
        verdict = "warning" if severities else "passed"
    return Quality(verdict, hours, checked, tuple(sorted(unmet, key=lambda u: (u[2], -u[3], u[0], u[1]))))
