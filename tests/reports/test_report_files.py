"""A report's files: they run no code, fetch nothing, and show foreign texts as plain text."""

import csv
import io
import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.errors import MissingPartError
from pinwheel.reports.numbers import Brand, Change, Earlier, Group, Numbers, Quality, ReportStatus, Totals, Trend
from pinwheel.reports.page import page, style_hash_of
from pinwheel.reports.period import Period
from pinwheel.reports.revisions import Report
from pinwheel.reports.store import Store
from pinwheel.reports.tables import FILES, table, tables
from tests.support import golden

MADE = datetime(2026, 3, 15, 4, 30)
COMPLETE = ReportStatus(datetime(2026, 3, 15, 4, 29), True, Quality("passed", 24, 24))
AWKWARD = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "\u202eevil.exe\u202c \u200f\u05e9\u05dc\u05d5\u05dd",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "x" * 10_000,
    "a\0b\x1b",
    "",
    None,
]


def made(**changed: Any) -> Report:
    pins = tuple(Group(str(n), 9 - n % 9, 1, n, None, title, title) for n, title in enumerate(AWKWARD))
    numbers = Numbers(
        Totals(50, 9, 3, 20),
        Totals(40, 0, 0, 30),
        ((2, 1),) * 24,
        (2,) * 24,
        pins,
        tuple(Group(str(title)[:64], 3, 1, 2) for title in AWKWARD),
        (Group("NL", 5, 1, 2, 4), Group("ZZ", 1, 0, 0, 1)),
        (Trend("pin", pins[0], 1e-9), Trend("category", Group("<b>x", 20, 0, 1), 0.004)),
    )
    brand = Brand(1, "<b onclick=x>&'\"")
    report = Report(brand, Period(date(2026, 3, 14), 1), 1, MADE, MADE, numbers, COMPLETE, "ab" * 32, None)
    return replace(report, **changed)


def example() -> Report:
    """A second revision of a busy day, with everything that a page can show of one."""
    pins = tuple(
        Group(str(900 + n), 40 - 3 * n, n, 5 * n, None, title, category)
        for n, (title, category) in enumerate(
            [("Raised beds from pallets", "garden"), ("Tomato & basil tart", "food"), (None, None), ("Pots", "garden")]
        )
    )
    categories = (Group("garden", 71, 3, 15), Group("food", 37, 1, 5), Group("(none)", 34, 2, 1234))
    countries = (Group("NL", 90, 4, 80, 61), Group("US", 40, 2, 0, 30), Group("ZZ", 12, 0, 12, 9))
    trends = (Trend("pin", pins[0], 9.1e-13), Trend("category", categories[0], 0.000123))
    hours = tuple((n % 7, n % 3) for n in range(24))
    numbers = Numbers(
        Totals(1142, 6, 31, 1042, 25),
        Totals(1300, 9, 28, 997, 26),
        hours,
        (3,) * 24,
        pins,
        categories,
        countries,
        trends,
    )
    unmet = (("repins", "row_count", "critical", 2), ("pins", "null_share title", "warning", 1))
    return replace(
        made(numbers=numbers, brand=Brand(70, "Garden & Home", "ann@example.org")),
        revision=2,
        state=ReportStatus(datetime(2026, 3, 14, 22, 10), False, Quality("failed", 24, 24, unmet)),
        earlier=Earlier(1, MADE, None, False, "unchecked", "x", {}),
        changes=(Change("total engagement", 1140, 1148), Change("country ZZ", None, 12), Change("hour 3", 5, 3)),
    )


def test_a_report_is_as_it_was_reviewed() -> None:
    golden.check("reports/report.html", page(example()))
    golden.check("reports/pins.csv", tables(example())["pins.csv"].decode())


class Outline(HTMLParser):
    """Every element and attribute, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def revised(**changed: Any) -> Report:
    earlier = Earlier(1, MADE, None, False, "unchecked", "x", {})
    told = (Change("total engagement", 100, 110), Change("pin 0", None, 7), Change("hour 3", 5, 4))
    return made(revision=2, earlier=earlier, changes=told, **changed)


@pytest.mark.parametrize(
    "report", [made(), revised(), made(period=Period(date(2026, 3, 9), 7))], ids=["day", "revised", "week"]
)
def test_a_page_runs_nothing_and_fetches_nothing(report: Report) -> None:
    if report.period.days == 7:
        report = replace(report, numbers=replace(report.numbers, hours=((1, 0),) * 168, hours_before=(1,) * 168))
    text = page(report)
    found = Outline(text)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "div", "span",
               "h1", "h2", "p", "strong", "bdi", "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th",
               "td", "svg", "g", "rect", "line", "path", "text", "details", "summary"}  # fmt: skip
    assert set(found.tags) <= allowed
    assert found.tags.count("style") == 1
    assert not {a for a in found.attributes if a.startswith("on")} | (
        found.attributes & {"href", "src", "style", "srcset"}
    )
    assert not re.search(r"url\(|@import|https?:|//\w", text)
    assert "\0" not in text


def test_a_policy_in_the_page_lets_its_own_style_through_alone() -> None:
    text = page(made())
    assert f"default-src 'none'; style-src {style_hash_of(text)}" in text.replace("&#39;", "'")


def test_texts_of_others_are_texts() -> None:
    told = Outline(page(made())).text
    for text in AWKWARD[:5]:
        assert str(text) in told
    assert "Pin 10, no title known" not in told  # the eleventh: the page shows ten
    assert "Pin 9, no title known" in told
    assert "x" * 159 + "…" in told
    assert "x" * 161 not in told
    assert "49" not in re.findall(r"\b49\b", told)


def test_a_page_says_what_it_is_about() -> None:
    told = Outline(page(made())).text
    for part in ("Daily report", "Saturday 14 March 2026, UTC", "✓ Complete", "Data quality: passed", "Revision 1",
                 "59", "+48%", "the day before", "Netherlands", "Not known",
                 "People who engaged", "People who made pins"):  # fmt: skip
        assert part in told, part
    assert "not complete" not in told.lower()


def test_the_statistics_are_only_shown_to_who_asks() -> None:
    text = page(made())
    shown, _, more = text.partition("<details>")
    assert '<td title="By chance: under 1 in 1,000,000">' in text
    assert '<td title="By chance: 1 in 250">' in text
    assert not re.search(r"Poisson|Bonferroni|probab", shown)
    assert "Bonferroni" in more.partition("</details>")[0]


@pytest.mark.parametrize(
    ("through", "says"),
    [
        (datetime(2026, 3, 14, 22, 10), "received by 14 March 2026, 22:10 UTC"),
        (None, "The time up to which the data is complete is unknown"),
    ],
)
def test_a_page_that_is_not_complete_says_so_at_the_top(through: datetime | None, says: str) -> None:
    told = Outline(page(made(state=ReportStatus(through, False, Quality("unchecked", 24, 20))))).text
    assert "! Not complete" in told
    assert says in told
    assert told.index("not complete.") < told.index("By hour")
    assert "20 of the 24 hours have been checked so far." in told


def test_what_failed_is_listed() -> None:
    quality = Quality("failed", 24, 24, (("repins", "row_count", "critical", 3), ("pins", "level_title", "warning", 1)))
    told = Outline(page(made(state=ReportStatus(MADE, True, quality)))).text
    assert "Data quality: failed" in told
    assert "row_count" in told


def test_a_new_revision_says_what_changed_and_by_how_much() -> None:
    told = Outline(page(revised())).text
    for part in ("What changed since revision 1", "It was not complete then.", "Data quality then: not checked yet.",
                 "+10", "not listed", "03:00", "<script>alert(1)</script>"):  # fmt: skip
        assert part in told, part


def test_a_brand_without_events_has_a_page() -> None:
    nothing = Numbers(Totals(), Totals(), ((0, 0),) * 24, (0,) * 24)
    told = Outline(page(made(numbers=nothing))).text
    for part in ("Nothing happened with this brand’s pins.", "nor in the day before", "No pin had engagement.",
                 "Nothing rose clearly more than it usually goes up and down.", "No engagement."):  # fmt: skip
        assert part in told, part
    assert len(rows(tables(made(numbers=nothing))["hours.csv"])) == 24


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_every_table_has_the_numbers() -> None:
    found = tables(revised())
    assert tuple(found) == FILES
    assert tuple(tables(made())) == FILES[:-1]
    assert rows(found["totals.csv"])[0] == {"measure": "engagement", "count": "59", "count_before": "40"}
    assert rows(found["hours.csv"])[23]["hour_utc"] == "2026-03-14 23:00:00"
    assert rows(found["countries.csv"])[0]["country"] == "Netherlands"
    assert [row["title"] for row in rows(found["pins.csv"])][7] == "x" * 10_000, "whole"
    assert rows(found["changes.csv"])[1] == {"number": "pin 0", "before": "", "after": "7"}


@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n", "\u00a0", "\u200b", "x;", 'x; "'])
@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_no_text_is_a_formula_in_a_spreadsheet(before: str, sign: str) -> None:
    text = f"\0{before}{sign}cmd|' /C calc'!A0"
    ((told,),) = [list(r.values()) for r in rows(table(("title",), [(text,)]))]
    assert told == f"{before}'{sign}cmd|' /C calc'!A0"


@given(st.text(st.sampled_from("=+-@＝;,|\t\r\n\"' \u00a0\u200b\ufeffa1"), max_size=12), st.sampled_from(",;\t|"))
def test_no_text_is_a_formula_in_any_country_s_spreadsheet(text: str, separator: str) -> None:
    content = table(("n", "title", "m"), [(5, text, 7)]).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
        for cell in row:
            assert not re.match(r"""[\s"\u200b\ufeff]*[=+\-@＝]""", cell), (cell, content)


def test_a_quoted_text_comes_back_and_a_number_stays_one() -> None:
    told = ['a "b", c\nd; e', "👕 שלום", "", "it's"]
    assert [r["t"] for r in rows(table(("t",), [(t,) for t in told]))] == told
    assert table(("n",), [(-5,), (None,), (1e-9,)]) == 'n\r\n-5\r\n""\r\n1e-09\r\n'.encode("utf-8-sig")


def test_a_file_is_written_over_and_read(tmp_path: Path) -> None:
    with Store(str(tmp_path / "new" / "folder"), 4) as store:
        for content in (b"first", b"second, longer", b""):
            store.write("1/2026-03-14-1d/r1", {"report.html": content, "b.csv": b"b"})
            assert store.read("1/2026-03-14-1d/r1/report.html") == content
        with pytest.raises(MissingPartError, match=r"no 1/nothing\.html .*PINWHEEL_REPORTS_URI"):
            store.read("1/nothing.html")
