"""The contract's types as Spark's."""

from collections.abc import Iterable

from pinwheel.contracts import Column, Type

SPARK_TYPE = {
    Type.STRING: "string",
    Type.INT64: "bigint",
    Type.INT32: "int",
    Type.DOUBLE: "double",
    Type.TIMESTAMP: "timestamp",
    Type.DATE: "date",
    Type.BINARY: "binary",
}


def struct_type(columns: Iterable[Column]) -> str:
    """Contract columns as a Spark struct type."""
    return f"struct<{','.join(f'{c.name}:{SPARK_TYPE[c.type]}' for c in columns)}>"
