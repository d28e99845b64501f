"""The ``pinwheel`` command. The commands import inside their bodies, so that ``--help`` answers at once."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from pinwheel.local.settings import LocalSettings

app = typer.Typer(no_args_is_help=True, add_completion=False)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
P = ParamSpec("P")
R = TypeVar("R")


def clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Print our own errors as a message, without a traceback, and exit with 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from pinwheel.core.errors import PinwheelError

        try:
            return command(*args, **kwargs)
        except PinwheelError as error:
            typer.secho(f"pinwheel: {error}", fg="red", err=True)
            raise typer.Exit(1) from None

    return wrapped


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pinwheel {version('pinwheel')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Engagement events from Kafka to SQL, in real time."""
    from pinwheel.core.atomic import PRIVATE

    os.umask(PRIVATE)


def _settings() -> "LocalSettings":
    from pinwheel.core.settings import load
    from pinwheel.local.settings import LocalSettings

    return load(LocalSettings)


@app.command()
@clearly
def run() -> None:
    """Start everything, send events, print the first brand rollup, and keep it running until Ctrl-C."""
    from pinwheel.local.run import run

    run(_settings())


@app.command()
@clearly
def stop() -> None:
    """End everything that `run` started, from another terminal."""
    from pinwheel.local.stack import Stack

    Stack(_settings()).stop_from_outside()
    typer.echo("Everything has ended.")


@app.command()
@clearly
def status() -> None:
    """Show which programs are up, and the lag."""
    from pinwheel.local.report import print_status

    print_status(_settings())


@app.command()
@clearly
def tools(
    servers: Annotated[bool, typer.Option("--servers", help="For the containers: no Kafka, no MariaDB.")] = False,
) -> None:
    """Download jars, MariaDB, web files and the location database."""
    from pinwheel.install import tools
    from pinwheel.install.progress import shown

    folder = _settings().tools_dir
    with shown() as progress:
        tools.fetch(tools.server_tools(folder) if servers else tools.tools(folder), progress)


@app.command()
@clearly
def produce(
    rate: Annotated[float, typer.Option(min=0, help="Events per second; 0: as fast as possible.")] = 1000,
    count: Annotated[int, typer.Option(min=0, help="Total number of events; 0: until Ctrl-C.")] = 10_000,
    seed: Annotated[int | None, typer.Option(help="Seed of the events; default: a new one each time.")] = None,
    defect: Annotated[str, typer.Option(help="Plant one of the defects that docs/quality.md lists.")] = "",
) -> None:
    """Send made-up events to the running stack."""
    from pinwheel.local.commands import produce

    produce(_settings(), rate, count, seed, defect)


@app.command()
@clearly
def replay(file: Path, seed: int = 1) -> None:
    """Send a `user<TAB>pin` file as repin events."""
    from pinwheel.local.commands import replay

    replay(_settings(), file, seed)


@app.command()
@clearly
def rollups(
    recompute: Annotated[str, typer.Option(help="A UTC day, 2026-03-14, or all: its rollups are made anew.")],
) -> None:
    """Make the rollups of a day anew from the rows of the tables."""
    from pinwheel.local.repairs import recompute_rollups

    recompute_rollups(_settings(), recompute)


@app.command()
@clearly
def retention(dry_run: Annotated[bool, typer.Option(help="Only count what would be taken away.")] = False) -> None:
    """Take away what was kept for longer than the retention settings say; rollups stay."""
    from pinwheel.local.repairs import apply_retention

    apply_retention(_settings(), dry_run)


@app.command()
@clearly
def stream(
    continue_from: Annotated[str, typer.Option(help='earliest, latest, or offsets as {"0": 12, "1": 7}.')],
    reason: Annotated[str, typer.Option(help="Why the stream goes on without what is missing.")],
    by: Annotated[str, typer.Option(help="The person who wants it so.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would be missing.")] = False,
) -> None:
    """Let the stream go on without records that are gone: expired, truncated, or of a topic that was made anew."""
    from pinwheel.local.repairs import continue_stream

    continue_stream(_settings(), continue_from, reason, by, dry_run)


@app.command()
@clearly
def rebuild(
    tables: Annotated[list[str] | None, typer.Argument(help="Reporting tables.")] = None,
    all_tables: Annotated[bool, typer.Option("--all", help="All of them; makes a lost database too.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be read.")] = False,
) -> None:
    """Make reporting tables anew from the lake; readers see the old ones until the end."""
    from pinwheel.local.repairs import rebuild_tables

    rebuild_tables(_settings(), tables or [], all_tables, dry_run)


@app.command()
@clearly
def erase(
    user_id: Annotated[int, typer.Argument(help="The person.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the receipt, so without the id.")] = "",
    by: Annotated[str, typer.Option(help="The person who asks for it.")] = "",
    approved_by: Annotated[str, typer.Option(help="Another person, who has approved it.")] = "",
    pins: Annotated[bool, typer.Option("--pins", help="Also the texts of the pins that the person made.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it, only list where the person is.")] = False,
) -> None:
    """Erase a person from everything, prove it, and print the receipt."""
    from pinwheel.erase.ledger import Request
    from pinwheel.local.repairs import erase_person

    erase_person(_settings(), Request(user_id, reason, by, approved_by, pins), yes)


@app.command()
@clearly
def sql(
    execute: Annotated[str | None, typer.Option("--execute", "-e", help="One statement instead of a prompt.")] = None,
    operator: Annotated[bool, typer.Option(help="Allow to read the ledger, quarantine and alerts too.")] = False,
) -> None:
    """Open a client on the reporting database, as an analyst: views, events and rollups, read only."""
    from pinwheel.local.commands import sql

    sys.exit(sql(_settings(), execute, "report" if operator else "analyst"))


@app.command()
@clearly
def health() -> None:
    """Show every measure of the pipeline; exits with 1 when one is unwell."""
    from pinwheel.local.report import print_health

    sys.exit(0 if print_health(_settings()) else 1)


@app.command()
@clearly
def books() -> None:
    """Show what became of every offset of Kafka and every row of the lake; exits with 1 on a difference."""
    from pinwheel.local.report import print_books

    sys.exit(0 if print_books(_settings()) else 1)


@app.command()
@clearly
def schema() -> None:
    """Migrate the database that the environment names; its user must be allowed to create tables."""
    from pinwheel.clients import migrations
    from pinwheel.core.settings import MemsqlSettings, load

    applied = migrations.apply(load(MemsqlSettings))
    typer.echo("\n".join([*(f"applied {name}" for name in applied), "The schema is up to date."]))


@app.command()
@clearly
def prepare(demo: Annotated[bool, typer.Option("--demo", help="Also the generated brands' names.")] = False) -> None:
    """Create topic, bucket, database, users and tables on the servers that the environment names."""
    from pinwheel.core.settings import load
    from pinwheel.server.prepare import prepare
    from pinwheel.server.settings import PrepareSettings

    prepare(load(PrepareSettings), demo, typer.echo)


@app.command(context_settings=PASS_ON)
@clearly
def test(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="Only tests without a server, JVM, Airflow or browser.")] = False,  # noqa: PT028
) -> None:
    """Run the tests; other arguments go to pytest."""
    from pinwheel.local.commands import test

    sys.exit(test(fast, *context.args))


@app.command(context_settings=PASS_ON)
@clearly
def bench(context: typer.Context) -> None:
    """Compare with the scripts that people write instead; arguments go to bench/run.py."""
    from pinwheel.local.commands import python_module

    sys.exit(python_module("bench.run", *context.args))


@app.command()
@clearly
def lint(
    names: Annotated[
        list[str] | None, typer.Argument(help="Some of ruff, format, mypy, sqlfluff, biome, tsc; default: all.")
    ] = None,
) -> None:
    """Check style, types, SQL and the pages' scripts."""
    from pinwheel.local.commands import lint

    sys.exit(lint(_settings(), names or ()))


@app.command()
@clearly
def check() -> None:
    """Run the linters and the fast tests; must pass before a commit."""
    from pinwheel.local.commands import check

    sys.exit(check())


@app.command()
@clearly
def clean(everything: Annotated[bool, typer.Option("--all", help="Also remove the downloaded tools.")] = False) -> None:
    """Remove the stack's data; it must not be running."""
    from pinwheel.local.commands import clean

    clean(_settings(), everything)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
