"""The outputs in docs/sql.md: its queries, run on a small day, as the text that a client shows."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from pinwheel.clients.memsql import Row
from tests.support.lakes import NOON, event

QUERY = re.compile(r"```sql\n(.*?)```\n(?:\n```text\n.*?```\n)?", re.DOTALL)
PINS = {11: (1, "food", "Lemon cake"), 12: (1, "food", "Sourdough"), 21: (2, "garden", "A pond in a barrel")}
PEOPLE = {1: "NL", 2: "NL", 3: "US", 4: None, 5: "SE"}


def day() -> list[Row]:
    """14 March 2026: three pins of two brands, what five people did with them, and their logins."""
    return [row | {"kafka_offset": n} for n, row in enumerate(_events())]


def _events() -> Iterator[Row]:
    for n, (pin_id, (_, _, title)) in enumerate(PINS.items()):
        yield _at(7.5 + n, "pin", f"pin {pin_id}", 9, "DE", pin_id) | {"title": title}
        for m, (person, country) in enumerate(PEOPLE.items()):
            kind = ("repin", "repin", "comment")[(n + m) % 3]
            if (n * m) % 4 != 3:
                yield _at(9 + n + m * 0.7, kind, f"{kind} {pin_id} {person}", person, country, pin_id)
    for person, country in PEOPLE.items():
        yield _at(8 + person / 10, "login", f"login {person}", person, country, None)


def _at(hour: float, kind: str, event_id: str, user_id: int, country: str | None, pin_id: int | None) -> Row:
    at = NOON + timedelta(hours=hour - 12)
    pin = {} if pin_id is None else dict(zip(("brand_id", "category"), PINS[pin_id][:2], strict=True))
    given = {"pin_id": pin_id} | pin if pin_id else {}
    return event(kind, event_id, 0, occurred_at=at, user_id=user_id, country_code=country, **given)


def with_outputs(text: str, ask: Any) -> str:
    """The page with each query's output below it."""
    return QUERY.sub(lambda found: f"```sql\n{found[1]}```\n\n```text\n{_table(ask(found[1]))}```\n", text)


def _table(rows: list[Row]) -> str:
    """As the MariaDB client draws it."""
    cells = [list(rows[0]), *([_cell(v) for v in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    line = "+".join("-" * (w + 2) for w in widths)
    drawn = [_row(row, widths) for row in cells]
    return "\n".join([f"+{line}+", drawn[0], f"+{line}+", *drawn[1:], f"+{line}+", ""])


def _cell(value: Any) -> str:
    return "NULL" if value is None else str(value)


def _row(cells: Iterable[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
