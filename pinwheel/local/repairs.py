"""The commands that repair the data of the running stack: rollups made anew, tables rebuilt, people erased."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

from pinwheel.clients import memsql
from pinwheel.core import connections
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import LocalError
from pinwheel.core.settings import DriverSettings, EraseSettings, MergeSettings, RetentionSettings, SourceSettings, load
from pinwheel.erase import receipt
from pinwheel.erase.ledger import Request
from pinwheel.erase.run import erase, look
from pinwheel.local.commands import use_servers
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack
from pinwheel.merge import ledger, rebuild, rebuild_parts
from pinwheel.merge.ledger import SupersededError
from pinwheel.operate import expire
from pinwheel.operate.doctor import Doctor
from pinwheel.rollup.rollups import Rollups, note_stale_day, stale_days
from pinwheel.stream import source_log

POLL_SECONDS = 2.0


def recompute_rollups(settings: LocalSettings, what: str) -> None:
    """Make the rollups of a UTC day, or of all days, anew from the rows.

    Ends when it is done, by this command or by the running task `roll_up`. If it dies, the task does the rest.

    Raises:
        LocalError: the stack does not run, ``what`` is no day, or its rows are no longer kept.
    """
    merging = _merging(settings)
    with memsql.connect(merging, local_infile=True) as connection:
        if what == "all":
            for table in TABLES:
                rebuild.note_stale_days(connection, table)
        else:
            day, kept_from = _day(what), ledger.kept_from(connection)
            if day < kept_from:
                raise LocalError(f"{day}: its rows are gone, the tables keep them from {kept_from} on; rollups stay")
            note_stale_day(connection, day)
        connection.commit()
        rollups = Rollups()
        while days := stale_days(connection):
            connection.commit()
            print(f"{len(days)} days to make anew")
            try:
                rollups.refresh(connection)
            except SupersededError:  # the task roll_up is doing it
                time.sleep(POLL_SECONDS)
    print("the rollups are what the rows say")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise LocalError(f"{text!r} is no day; give one as 2026-03-14, or all") from None


def rebuild_tables(settings: LocalSettings, tables: Sequence[str], all_tables: bool, dry_run: bool) -> None:
    """Have tables rebuilt by their running merge tasks, and wait until they are. Ctrl-C does not stop them.

    Raises:
        LocalError: the stack does not run, or no table is named.
        MergeError: there is no such table, or no lake.
    """
    if bool(tables) == all_tables:
        raise LocalError(f"name the tables to rebuild ({', '.join(TABLES)}), or give --all")
    wanted = list(tables) or list(TABLES)
    is_stack = use_servers(settings)
    merging = load(MergeSettings)
    for extent in rebuild_parts.extents(merging, wanted):
        size = f"{extent.rows:,} rows in {extent.files} files, {extent.parts} parts"
        print(f"{extent.table}: {size}, from version {extent.version} of the lake")
    if dry_run:
        return
    if is_stack:  # what was dropped is made first; elsewhere `pinwheel prepare` and `pinwheel schema` do it
        for table in Stack(settings).make_schema(wanted):
            print(f"{table} was dropped: made anew, empty")
    with memsql.connect(merging) as connection:
        rebuild.request(connection, merging, wanted, "pinwheel rebuild")
        while going := [found for table in wanted if (found := rebuild.waiting(connection, table))]:
            connection.commit()
            print(
                ", ".join(
                    f"{found.table}: {found.state}, {len(rebuild.loaded(connection, found))} parts loaded"
                    for found in going
                )
            )
            time.sleep(POLL_SECONDS)
    print("rebuilt; the rollups of their days follow")


def apply_retention(settings: LocalSettings, dry_run: bool) -> None:
    """Take away what is older than the settings of the running stack say, or print what would be.

    Raises:
        LocalError: the stack does not run.
    """
    _merging(settings)
    for one in expire.apply_retention(load(RetentionSettings), datetime.now(UTC), dry_run):
        print(f"{one.store}: {one.rows:,} rows from before {one.before:%Y-%m-%d}{' would go' if dry_run else ' gone'}")


def continue_stream(settings: LocalSettings, where: str, reason: str, by: str, dry_run: bool) -> None:
    """Let the running stack's stream go on at other offsets; its supervisor starts the driver within seconds.

    Raises:
        LocalError: the stack does not run.
        SourceLogError: see ``source_log.gap``.
    """
    _merging(settings)
    gap = source_log.go_on(load(SourceSettings), where, reason, by, dry_run)
    print(f"{'would go' if dry_run else 'goes'} on at {gap.offsets} of {gap.log}, without {gap.told}")


def erase_person(settings: LocalSettings, request: Request, is_sure: bool) -> None:
    """Erase a person from the running stack, or say where the person is.

    Raises:
        LocalError: the stack does not run.
        EraseError: see ``pinwheel.erase.run.erase``.
    """
    _merging(settings)
    erasing = load(EraseSettings)
    if not is_sure:
        found = look(erasing, request.user_id).finds
        print("\n".join([*receipt.table(found), "nothing was erased; give --yes to erase"]))
        return
    print(receipt.told(erase(erasing, request)))


def doctor(settings: LocalSettings, mend: bool) -> bool:
    """Print what is wrong, also of a stack that is not running, and repair it if asked to; whether all is well now."""
    use_servers(settings, must_run=False)
    print("\n".join(["settings come from the environment", *connections.told()]))
    made = Doctor(load(SourceSettings), load(DriverSettings), load(MergeSettings))
    found = made.mend(print) if mend else made.look()
    for one in found:
        todo = "--mend would" if one.mend else "do"
        print(f"{one.part}: {one.wrong}\n    means: {one.means}\n    {todo}: {one.do}")
    mendable = sum(one.mend is not None for one in found)
    print(f"findings: {len(found)}, of which --mend can mend {mendable}" if found else "nothing is wrong")
    return not found


def _merging(settings: LocalSettings) -> MergeSettings:
    """The settings, with the merge's database user."""
    use_servers(settings)
    return load(MergeSettings)
