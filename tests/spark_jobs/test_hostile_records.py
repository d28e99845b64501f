"""Records near the contract, judged by the parser and by the contract in plain Python; see also tests/server."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.settings import GeoSettings, load
from pinwheel.enrich.locations import Locator
from spark_jobs.transforms.enrich import with_pins, with_places
from tests.support.fuzz import corpus
from tests.support.hostile import NOON, Value, hostile
from tests.support.judged import check
from tests.support.properties import examples
from tests.support.records import NoPins, parser, records

BATCH = 100


def judge(values: list[Value]) -> None:
    parsed = parser().parse(records(*(value.value for value in values)))
    rows = with_places(with_pins(parsed, NoPins()), Locator(load(GeoSettings))).to_pylist()
    for row, value in zip(rows, values, strict=True):
        check(row, Value(value.value), datetime.now(UTC))


@examples(10)
@given(st.integers(0, 2**32))
def test_each_is_what_the_contract_says(seed: int) -> None:
    judge([hostile(seed, number) for number in range(BATCH)])


def test_the_corpus_is_what_the_contract_says() -> None:
    assert corpus()
    judge(corpus())


def test_a_seed_is_the_same_records() -> None:
    assert (
        [hostile(1, n) for n in range(50)] == [hostile(1, n) for n in range(50)] != [hostile(2, n) for n in range(50)]
    )
    assert NOON.tzinfo is UTC
