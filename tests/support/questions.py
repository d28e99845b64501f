"""docs/questions.md: the questions with values in place of their parameters, to paste into any client."""

from collections.abc import Iterator
from datetime import datetime

from pinwheel.clients.memsql import SQL_DIR

HEAD = """# Questions

Generated from `sql/questions/` by `{refresh}`; a test compares, another runs them. Do not edit.

Each runs as it is, in any client (for SingleStore, take the file's own lines). The values are those of the day in
[sql.md](sql.md): change times, brand and number of rows to yours. The page [Explore](live.md#explore) has the same
questions about the newest day.
"""
NOON = datetime(2026, 3, 14, 12)


def text(refresh: str) -> str:
    """The document as it should be."""
    return "\n".join([HEAD.format(refresh=refresh), *_parts()])


def _parts() -> Iterator[str]:
    from plugins.web.explore_help import examples, question

    values = examples(NOON, 1, "food")
    for path in sorted((SQL_DIR / "questions").glob("*.sql")):
        found = question(path, "mariadb", values)
        grain = found.grain[0].upper() + found.grain[1:]
        yield f"## {found.name}\n\n{found.purpose} {grain}.\n\n```sql\n{found.sql}```\n"
