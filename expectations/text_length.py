"""An expectation that Great Expectations lacks: text length in characters.

Its own length expectations use LENGTH(), which counts bytes in MySQL: a text of emoji would break the rule at a
quarter of the length that the contract allows.
"""

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)

METRIC = "column_values.at_most_chars"


class AtMostChars(ColumnMapMetricProvider):
    """Condition: a text has at most ``max_chars`` characters."""

    condition_metric_name = METRIC
    condition_value_keys = ("max_chars",)

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, max_chars: int, **_: Any) -> Any:
        return sa.func.char_length(column) <= max_chars


class ExpectTextAtMostChars(ColumnMapExpectation):
    """Expect each text of a column to have at most ``max_chars`` characters; null passes."""

    max_chars: int

    map_metric: ClassVar[str] = METRIC
    success_keys: ClassVar[tuple[str, ...]] = ("max_chars", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "max_chars")
