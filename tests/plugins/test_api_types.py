"""The types that the scripts are checked against are those of the answers."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.support.api_types import REFRESH, ROOT, TARGET, text


def test_the_scripts_types_are_those_of_the_response_models(app: FastAPI) -> None:
    assert (ROOT / TARGET).read_text() == text(app.openapi()["components"]["schemas"]), f"refresh it: {REFRESH}"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"anyOf": [{"$ref": "#/components/schemas/Row"}, {"type": "null"}]}, "Row | null"),
        ({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}}, "(number | null)[]"),
        ({"type": "array", "items": {"type": "array", "items": {"enum": ["a", "b"]}}}, '("a" | "b")[][]'),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "Record<string, boolean>"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "string", "enum": ["a", "b"]}, '"a" | "b"'),
        ({}, "unknown"),
    ],
)
def test_a_schema_as_a_type(schema: dict[str, Any], expected: str) -> None:
    assert f"  type Row = {expected};" in text({"Row": schema})
