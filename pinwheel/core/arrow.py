"""The contract's types in Arrow."""

import pyarrow as pa

from pinwheel.core.contract import Type

ARROW_TYPE = {
    Type.STRING: pa.string(),
    Type.INT64: pa.int64(),
    Type.INT32: pa.int32(),
    Type.DOUBLE: pa.float64(),
    Type.TIMESTAMP: pa.timestamp("us", "UTC"),
    Type.DATE: pa.date32(),
    Type.BINARY: pa.binary(),
}
