"""``pinwheel status``: which programs are up, and the lag. ``pinwheel health``: every measure of the pipeline.

``pinwheel books``: what became of every offset and every row.
"""

import time
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pinwheel.alerts.raising import raise_alert, resolve_alert
from pinwheel.core.settings import HealthSettings, QualitySettings, load
from pinwheel.core.times import utc_now
from pinwheel.local.commands import use_servers
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import ProgramState, Stack
from pinwheel.local.watch import Watch, line
from pinwheel.operate.health import Measure, look
from pinwheel.quality.books import close_books
from pinwheel.quality.books_lines import Books, Line

RATE_SECONDS = 2.0  # between the two looks that make a rate


def print_status(settings: LocalSettings) -> None:
    """Print the programs of the stack and, while it runs, the status line."""
    console = Console(highlight=False)
    if not settings.stack_dir.exists():
        console.print(f"There is no stack in {settings.stack_dir} yet: `make run` creates it.")
        return
    stack = Stack(settings)
    states = stack.status()
    console.print(_table(states))
    holder = stack.lock.holder()
    console.print(f"Run by process {holder}, Airflow at {settings.airflow_url}" if holder else "Not running.")
    if any(state.pid for state in states):
        watch = Watch(settings, stack.credentials)
        watch.pulse()
        time.sleep(RATE_SECONDS)
        console.print(line(watch.pulse()))


def _table(states: list[ProgramState]) -> Table:
    table = Table("Program", "State", "Process", "Memory")
    for state in states:
        up = "[green]up" if state.pid else "[red]down"
        table.add_row(state.name, up, str(state.pid or ""), f"{state.megabytes} MB" if state.megabytes else "")
    return table


def print_health(settings: LocalSettings) -> bool:
    """Print every measure; returns whether all of them are well."""
    use_servers(settings, must_run=False)
    measures = look(load(HealthSettings), datetime.now(UTC))
    Console(highlight=False).print(_health_table(measures))
    return all(measure.is_well for measure in measures)


def _health_table(measures: list[Measure]) -> Table:
    table = Table("Measure", "Of", "ProgramState")
    table.add_column("Value", justify="right")
    table.add_column("Allowed", justify="right")
    for measure in sorted(measures, key=lambda m: m.is_well):  # unwell ones first
        state = "[green]well" if measure.is_well else "[red]unwell"
        table.add_row(measure.name, measure.subject, state, _number(measure.value), _number(measure.limit))
    return table


def print_books(settings: LocalSettings) -> bool:
    """Draw up the books of the running stack and print them; returns whether they balance.

    Raises:
        LocalError: the stack does not run.
    """
    use_servers(settings)
    books = close_books(load(QualitySettings), utc_now, raise_alert, resolve_alert)
    show_books(Console(highlight=False), books)
    return not books.differences


def show_books(console: Console, books: Books) -> None:
    """Print the books as one table, and below it what they can't explain."""
    console.print(_books_table(books))
    for difference in books.differences:
        console.print(f"[red]{escape(difference)}")
    state = "[red]differ" if books.differences else "balanced"
    closed = f", closed through {books.closed_through}" if books.closed_through else ""
    console.print(f"Books: {state}, {books.offsets:,} offsets through {books.through:%Y-%m-%d %H:%M:%S} UTC{closed}")


def _books_table(books: Books) -> Table:
    table = Table("Of", "Total", "Explained by", "State")
    for one in books.lines:
        table.add_row(_subject(one), *_counts(one), "[red]differs" if one.differences else "[green]balanced")
    return table


def _subject(line: Line) -> str:
    """A partition with its topic, not with the ids of its log; a table's shard."""
    return f"{line.scope} {escape(line.name.partition('@')[0])} {line.number}"


def _counts(line: Line) -> tuple[str, str]:
    """The total, and what explains it."""
    (what, total), *others = sorted(line.counts.items(), key=lambda one: one[0] not in ("offsets", "rows", "hours"))
    named = [f"{count:,} {name.replace('_', ' ')}" for name, count in others if count]
    return f"{total:,} {what}", ", ".join(named)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
