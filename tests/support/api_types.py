"""The types of the pages' answers, for the scripts: plugins/web/types/api.d.ts, made from the response models.

python -m tests.support.api_types
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TARGET = "plugins/web/types/api.d.ts"
REFRESH = "python -m tests.support.api_types"
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def text(schemas: dict[str, Any]) -> str:
    """The file for these OpenAPI schemas. A field with a default is always in an answer, so none is optional."""
    head = f"// Made from the pages' response models by `{REFRESH}`; a test compares. Do not edit."
    return "\n".join([head, "declare namespace Api {", *_declarations(schemas), "}", ""])


def _declarations(schemas: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        if "properties" not in schema:
            yield f"  type {name} = {_type(schema)};"
            continue
        yield f"  interface {name} {{"
        yield from (f"    {field}: {_type(kind)};" for field, kind in schema["properties"].items())
        yield "  }"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " | ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        item = _type(schema["items"])
        is_union = "|" in item and schema["items"].get("type") != "array"
        return f"({item})[]" if is_union else f"{item}[]"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties", {})
        return f"Record<string, {_type(inner) if inner else 'unknown'}>"
    return PLAIN.get(schema.get("type", ""), "unknown")


def schemas() -> dict[str, Any]:
    """The response models of the app, as OpenAPI describes them."""
    from plugins.web.app import create_app

    found: dict[str, Any] = create_app().openapi()["components"]["schemas"]
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as home:  # Airflow writes its configuration where it is imported
        os.environ["AIRFLOW_HOME"] = home
        (ROOT / TARGET).write_text(text(schemas()))
    sys.stdout.write(f"{TARGET}\n")
