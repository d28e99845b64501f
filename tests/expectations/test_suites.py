"""Every table's rules, as the gate gets them; loaded inside the tests, because Great Expectations takes seconds."""

import json

import pytest

from pinwheel.core.contract import TABLES
from tests.support import golden


@pytest.mark.parametrize("table", TABLES)
def test_the_rules_are_the_golden_file(table: str) -> None:
    from expectations.suites import rules_of

    rules = [{"label": r.label, "kind": r.kind, "share": r.share, "condition": r.broken} for r in rules_of(table)]
    lines = ",\n".join(json.dumps(rule) for rule in rules)
    golden.check(f"suites/{table}.json", f"[\n{lines}\n]\n")


@pytest.mark.parametrize("table", TABLES)
def test_no_two_rules_have_the_same_label(table: str) -> None:
    """The gate's batch has a row per label."""
    from expectations.suites import rules_of

    labels = [rule.label for rule in rules_of(table)]
    assert len(labels) == len(set(labels))


def test_a_table_may_expect_more_than_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.suites import OWN, not_null, rules_of

    before = rules_of("logins")
    monkeypatch.setitem(OWN, "logins", lambda: [not_null("client")])

    assert rules_of("logins") == [*before, not_null("client")]


def test_the_suite_expects_no_rule_to_be_broken_more_often_than_allowed() -> None:
    from expectations.suites import EXCESS, suite

    (judged,) = suite().expectations
    configuration = judged.configuration
    assert configuration.type == "expect_column_values_to_be_between"
    assert configuration.kwargs == {"column": EXCESS, "max_value": 0}
    assert judged.severity == "critical"
