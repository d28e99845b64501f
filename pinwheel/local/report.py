"""``pinwheel status``: which parts are up, and how far the events are."""

from rich.console import Console
from rich.table import Table

from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack, State
from pinwheel.local.watch import Watch, line


def print_status(settings: LocalSettings) -> None:
    """Print it."""
    console = Console(highlight=False)
    if not settings.stack_dir.exists():
        console.print(f"There is no stack in {settings.stack_dir} yet: `make run` makes it.")
        return
    stack = Stack(settings)
    states = stack.status()
    console.print(_table(states))
    holder = stack.lock.holder()
    console.print(f"Run by process {holder}, Airflow at {settings.airflow_url}" if holder else "Not running.")
    if any(state.pid for state in states):
        console.print(line(Watch(settings, stack.credentials).pulse()))


def _table(states: list[State]) -> Table:
    table = Table("Program", "State", "Process", "Memory")
    for state in states:
        up = "[green]up" if state.pid else "[red]down"
        table.add_row(state.name, up, str(state.pid or ""), f"{state.megabytes} MB" if state.megabytes else "")
    return table
