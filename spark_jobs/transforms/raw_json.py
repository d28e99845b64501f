"""The unknown fields of a JSON object, with each value as its producer wrote it.

JSON libraries round long decimals, replace escapes and drop white space; an unknown field belongs to somebody who may
need all of it.
"""

import json
import re
from collections.abc import Container, Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)  # what decides where a value ends
_KEY = re.compile(r'[\s,{]*("(?:[^"\\]|\\.)*")\s*:\s*', re.DOTALL)


def unknown_fields(text: str, known: Container[str], nested: str | None = None, inner: Container[str] = ()) -> str:
    """The object without its known fields.

    Args:
        text: a valid JSON object.
        known: the names to leave out.
        nested: the name of a known field that is an object, of which the unknown fields are kept as well. Of several
            the first counts.
        inner: the names to leave out of that object.

    Returns:
        A JSON object; ``{}`` when all fields are known. Of a name that occurs twice, both are kept.
    """
    kept = []
    for name, key, value in members(text):
        if name == nested:
            nested, below = None, unknown_fields(value, inner)
            kept += [f"{key}:{below}"] if below != "{}" else []
        elif name not in known:
            kept.append(f"{key}:{value}")
    return f"{{{','.join(kept)}}}"


def members(text: str) -> Iterator[tuple[str, str, str]]:
    """The members of a valid JSON object: the name, and the bytes of its key and of its value as they came."""
    position = text.index("{") + 1
    while (key := _KEY.match(text, position)) is not None:
        end = _end_of_value(text, key.end())
        yield json.loads(key[1]), key[1], text[key.end() : end].rstrip()
        position = end


def _end_of_value(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif depth == 0 and mark in ",]}":
            return token.start()
        elif mark in "]}":
            depth -= 1
    return len(text)
