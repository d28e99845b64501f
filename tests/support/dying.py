"""A process that dies at one of its statements."""

from collections.abc import Callable
from typing import Any

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection


def die_at(monkeypatch: pytest.MonkeyPatch, statement: str, table: str | None = None, *, after: bool = False) -> None:
    """Raise KeyboardInterrupt at a statement; with ``table`` not at that of another, ``after`` when it is done."""

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(asked: Connection, name: str, *given: object, **names: object) -> Any:
            is_there = name == statement and (table is None or names.get("table") in (None, table))
            if is_there and not after:
                raise KeyboardInterrupt
            found = function(asked, name, *given, **names)
            if is_there:
                raise KeyboardInterrupt
            return found

        return call

    for function in ("execute", "execute_many", "execute_all", "insert_id"):
        monkeypatch.setattr(memsql, function, dying(getattr(memsql, function)))
