"""``pinwheel status``: which programs are up, and the lag. ``pinwheel health``: every measure of the pipeline."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from pinwheel.core.settings import HealthSettings, load
from pinwheel.local import environment
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import ProgramState, Stack
from pinwheel.local.watch import Watch, line
from pinwheel.operate.health import Measure, look


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
        console.print(line(Watch(settings, stack.credentials).pulse()))


def _table(states: list[ProgramState]) -> Table:
    table = Table("Program", "ProgramState", "Process", "Memory")
    for state in states:
        up = "[green]up" if state.pid else "[red]down"
        table.add_row(state.name, up, str(state.pid or ""), f"{state.megabytes} MB" if state.megabytes else "")
    return table


def print_health(settings: LocalSettings) -> bool:
    """Print every measure; returns whether all of them are well."""
    stack = Stack(settings)
    environment.adopt(settings, stack.credentials)
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


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
