"""Every table's suite, as Great Expectations gets it; loaded inside the tests, because that takes seconds."""

import json
from typing import Any

import pytest

from pinwheel.clients.memsql import Row
from pinwheel.core.contract import TABLES
from tests.support import golden


def expectations(table: str) -> list[Row]:
    from expectations.suites import suite_of

    rows: Any = suite_of(table).to_json_dict()["expectations"]
    return list(rows)


@pytest.mark.parametrize("table", TABLES)
def test_the_suite_is_the_golden_file(table: str) -> None:
    lines = ",\n".join(json.dumps(found) for found in expectations(table))
    golden.check(f"suites/{table}.json", f"[\n{lines}\n]\n")


def test_a_table_may_expect_more_than_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations.expectations as gxe

    from expectations.suites import OWN

    before = expectations("logins")
    monkeypatch.setitem(OWN, "logins", lambda: [gxe.ExpectColumnValuesToNotBeNull(column="client")])

    *others, own = expectations("logins")
    assert others == before
    assert (own["type"], own["kwargs"]) == ("expect_column_values_to_not_be_null", {"column": "client"})
    assert expectations("logins")[-1] == own, "an expectation that is in a suite already would be refused"
