"""Takes a person's id out of what was written about the work: logs, pages of checks, Airflow's own database."""

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pinwheel.core.mentions import Mention
from pinwheel.core.settings import EraseSettings
from pinwheel.operate.airflow_cleanup import DATABASE_URL

log = logging.getLogger(__name__)

REPORTS = "reports"  # of brands: their numbers are pins and counts


def folders(settings: EraseSettings) -> dict[str, Path]:
    """The folders of files about the work that are on this machine, by the name of what is in them."""
    named = {
        "pages of checks": settings.quality_dir,
        "stream": settings.stream_dir,
        "checkpoints": Path(settings.checkpoint_uri).parent,
        REPORTS: Path(settings.reports_uri),
    }
    logs = {f"logs {n}": Path(p) for n, p in enumerate(filter(None, settings.erasure_log_dirs.split(":")), 1)}
    return {name: path for name, path in (named | logs).items() if "://" not in str(path) and path.is_dir()}


def erase_files(settings: EraseSettings, mention: Mention) -> dict[str, int]:
    """Overwrite the mentions in all files; returns how many files had some, by folder.

    In place, of the same length: programs keep their logs open. Dying half-way leaves some to the next run.
    """
    counts = Counter[str]()
    for name, folder in folders(settings).items():
        for path in files(folder):
            with suppress(FileNotFoundError):  # removed meanwhile: a log that is rotated
                counts[name] += _blank(path, mention.of_field if name == REPORTS else mention)
    return dict(counts)


def files(folder: Path) -> Iterator[Path]:
    """All files under a folder, without links."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path


def _blank(path: Path, mention: Mention) -> bool:
    content, digits = path.read_bytes(), mention.digits.encode()
    if digits not in content:
        return False
    places = mention.found_at(content)
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            if file.read(len(digits)) == digits:  # still: a log may have been rotated
                file.seek(place)
                file.write(mention.blank)
    return bool(places)


def erase_airflow(mention: Mention) -> dict[str, int]:
    """Take the mentions out of Airflow's database: the form's values, events, results of tasks; returns rows by table.

    A task can't use Airflow's models, so this is plain SQL. One transaction: dying before its end changes nothing.
    """
    url = os.environ.get(DATABASE_URL)
    if not url:
        log.warning("%s is not set: the form's values stay in Airflow's database", DATABASE_URL)
        return {}
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")  # or the old values stay in free pages
            counts = {t.name: _replace_in(connection, t, mention) for t in airflow_tables(connection)}
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    return {f"airflow {name}": count for name, count in counts.items()}


def airflow_tables(connection: sa.Connection) -> list[sa.Table]:
    """Airflow's tables, as its database has them."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return list(metadata.sorted_tables)


def texts(table: sa.Table) -> list[sa.Column[Any]]:
    """A table's columns of texts and of JSON."""
    return [c for c in table.columns if isinstance(c.type, sa.String | sa.JSON)]


def _replace_in(connection: sa.Connection, table: sa.Table, mention: Mention) -> int:
    count = 0
    for column in texts(table):
        text = sa.cast(column, sa.Text)
        rows = connection.execute(sa.select(text).distinct().where(text.contains(mention.digits, autoescape=True)))
        for before in [found for (found,) in rows if mention.in_text(found)]:
            after = mention.without(before)
            value = json.loads(after) if isinstance(column.type, sa.JSON) else after
            done = connection.execute(sa.update(table).where(text == before).values({column.name: value}))
            count += done.rowcount
    return count
