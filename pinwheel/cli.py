"""The ``pinwheel`` command. The commands import inside their bodies, so that ``--help`` answers at once."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pinwheel.cli_repairs import repairs
from pinwheel.command import clearly, settings

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(repairs)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


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


@app.command()
@clearly
def run() -> None:
    """Start everything, send events, print the first brand rollup, and keep it running until Ctrl-C."""
    from pinwheel.local.run import run

    run(settings())


@app.command()
@clearly
def stop() -> None:
    """End everything that `run` started, from another terminal."""
    from pinwheel.local.stack import Stack

    Stack(settings()).stop_from_outside()
    typer.echo("Everything has ended.")


@app.command()
@clearly
def status() -> None:
    """Show which programs are up, and the lag."""
    from pinwheel.local.report import print_status

    print_status(settings())


@app.command()
@clearly
def tools(
    servers: Annotated[bool, typer.Option("--servers", help="For the containers: no Kafka, no MariaDB.")] = False,
) -> None:
    """Download jars, MariaDB, web files and the location database."""
    from pinwheel.install import tools
    from pinwheel.install.progress import shown

    folder = settings().tools_dir
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

    produce(settings(), rate, count, seed, defect)


@app.command()
@clearly
def replay(file: Path, seed: int = 1) -> None:
    """Send a `user<TAB>pin` file as repin events."""
    from pinwheel.local.commands import replay

    replay(settings(), file, seed)


@app.command()
@clearly
def sql(
    execute: Annotated[str | None, typer.Option("--execute", "-e", help="One statement instead of a prompt.")] = None,
    operator: Annotated[bool, typer.Option(help="Allow to read the ledger, quarantine and alerts too.")] = False,
    owner: Annotated[bool, typer.Option(help="Allow everything, for a repair that a runbook names.")] = False,
) -> None:
    """Open a client on the reporting database, as an analyst: views, events and rollups, read only."""
    from pinwheel.local.commands import sql

    sys.exit(sql(settings(), execute, "admin" if owner else "report" if operator else "analyst"))


@app.command()
@clearly
def health() -> None:
    """Show every measure of the pipeline; exits with 1 when one is unwell."""
    from pinwheel.local.report import print_health

    sys.exit(0 if print_health(settings()) else 1)


@app.command()
@clearly
def books() -> None:
    """Show what became of every offset of Kafka and every row of the lake; exits with 1 on a difference."""
    from pinwheel.local.report import print_books

    sys.exit(0 if print_books(settings()) else 1)


@app.command()
@clearly
def schema(
    restore: Annotated[
        list[str] | None, typer.Option(help="A reporting table that was dropped: made anew, empty. Then rebuild it.")
    ] = None,
) -> None:
    """Migrate the database that the environment names; its user must be allowed to create tables."""
    from pinwheel.clients import migrations
    from pinwheel.core.settings import MemsqlSettings, load

    own = load(MemsqlSettings)
    applied, restored = migrations.apply(own), migrations.restore(own, restore or [])
    done = [*(f"applied {name}" for name in applied), *(f"restored {name}" for name in restored)]
    typer.echo("\n".join([*done, "The schema is up to date."]))


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

    sys.exit(test(settings(), fast, *context.args))


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

    sys.exit(lint(settings(), names or ()))


@app.command()
@clearly
def check() -> None:
    """Run the linters and the fast tests; must pass before a commit."""
    from pinwheel.local.commands import check

    sys.exit(check(settings()))


@app.command()
@clearly
def audit() -> None:
    """Print the locked packages with known faults, and write the list of all packages (SBOM)."""
    from pinwheel.local.audit import audit

    sys.exit(audit(settings()))


@app.command()
@clearly
def clean(everything: Annotated[bool, typer.Option("--all", help="Also remove the downloaded tools.")] = False) -> None:
    """Remove the stack's data; it must not be running."""
    from pinwheel.local.commands import clean

    clean(settings(), everything)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
