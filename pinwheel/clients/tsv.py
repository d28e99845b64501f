"""Arrow columns as the bytes that LOAD DATA reads: tabs between, backslash escapes, ``\\N`` for null."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# LOAD DATA's own escapes. The backslash comes first, or it would escape the others' escapes.
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0"))
NULL = "\\N"


def lines(columns: Sequence[pa.Array]) -> memoryview:
    """One line per row of equally long ``columns``: strings, numbers, UTC timestamps (written without zone)."""
    texts = [_text(column) for column in columns]
    joined = pc.binary_join_element_wise(*texts, _large("\t"), null_handling="replace", null_replacement=NULL)
    ended = pc.binary_join_element_wise(joined, _large(""), _large("\n"))
    return _bytes_of(ended)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        # Dropping the zone keeps the UTC clock time; the cast to text then writes 'YYYY-MM-DD HH:MM:SS.ffffff'.
        return column.cast(pa.timestamp("us")).cast(pa.large_string())
    if pa.types.is_floating(column.type):  # coordinates: few distinct ones, and a cast costs as much as ten texts
        encoded = column.dictionary_encode()
        return encoded.dictionary.cast(pa.large_string()).take(encoded.indices)
    text = column.cast(pa.large_string())
    return _escaped(text) if _is_string(column.type) else text


def _escaped(text: pa.Array) -> pa.Array:
    data = bytes(_bytes_of(text))  # to search it takes a twentieth of replacing nothing
    for plain, escape in ESCAPES:
        if plain.encode() in data:
            text = pc.replace_substring(text, pattern=plain, replacement=escape)
    return text


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _large(text: str) -> Any:
    return pa.scalar(text, pa.large_string())


def _bytes_of(strings: pa.Array) -> memoryview:
    """The concatenated strings: the array's data buffer from its first offset to its last, without a copy."""
    offsets = memoryview(strings.buffers()[1]).cast("q")
    first, last = offsets[strings.offset], offsets[strings.offset + len(strings)]
    return memoryview(strings.buffers()[2] or b"")[first:last]
