"""The commands of ``pinwheel`` that repair data."""

from typing import Annotated

import typer

from pinwheel.command import clearly, settings

repairs = typer.Typer()


@repairs.command()
@clearly
def rollups(
    recompute: Annotated[str, typer.Option(help="A UTC day, 2026-03-14, or all: its rollups are made anew.")],
) -> None:
    """Make the rollups of a day anew from the rows of the tables."""
    from pinwheel.local.repairs import recompute_rollups

    recompute_rollups(settings(), recompute)


@repairs.command()
@clearly
def retention(dry_run: Annotated[bool, typer.Option(help="Only count what would be taken away.")] = False) -> None:
    """Take away what was kept for longer than the retention settings say; rollups stay."""
    from pinwheel.local.repairs import apply_retention

    apply_retention(settings(), dry_run)


@repairs.command()
@clearly
def stream(
    continue_from: Annotated[str, typer.Option(help='earliest, latest, or offsets as {"0": 12, "1": 7}.')],
    reason: Annotated[str, typer.Option(help="Why the stream goes on without what is missing.")],
    by: Annotated[str, typer.Option(help="The person who wants it so.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would be missing.")] = False,
) -> None:
    """Let the stream go on without records that are gone: expired, truncated, or of a topic that was made anew."""
    from pinwheel.local.repairs import continue_stream

    continue_stream(settings(), continue_from, reason, by, dry_run)


@repairs.command()
@clearly
def rebuild(
    tables: Annotated[list[str] | None, typer.Argument(help="Reporting tables.")] = None,
    all_tables: Annotated[bool, typer.Option("--all", help="All of them; makes a lost database too.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be read.")] = False,
) -> None:
    """Make reporting tables anew from the lake; readers see the old ones until the end."""
    from pinwheel.local.repairs import rebuild_tables

    rebuild_tables(settings(), tables or [], all_tables, dry_run)


@repairs.command()
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

    erase_person(settings(), Request(user_id, reason, by, approved_by, pins), yes)


@repairs.command()
@clearly
def doctor(
    mend: Annotated[bool, typer.Option("--mend", help="Mend what can be; without it, only say so.")] = False,
) -> None:
    """Say what is wrong with checkpoint, lake, topic, watermarks, ledger and queue; exits with 1 while something is."""
    from pinwheel.local.repairs import doctor

    raise typer.Exit(0 if doctor(settings(), mend) else 1)
