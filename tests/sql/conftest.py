"""The reports are asked on what the merge has made of a small lake."""

import pytest

from pinwheel import memsql
from pinwheel.contracts import TABLES
from pinwheel.merge import rollups
from pinwheel.merge.merge import merge
from pinwheel.merge.stage import stage
from tests.merge.conftest import connection, memsql_settings, query, settings  # noqa: F401 - fixtures
from tests.merge.lakes import land


@pytest.fixture
def merged(settings, connection):  # noqa: F811
    """Lands events in one commit, merges them all, and the rollups."""

    def go(events: list[dict] = ()) -> None:
        if events:
            land(settings.lake_uri, list(events))
        for table in TABLES:
            while (found := stage(table, settings, connection)) is not None:
                merge(found.slice_id, connection)
        rollups.recompute(connection)

    return go


@pytest.fixture
def report(connection):  # noqa: F811
    """Asks a report; returns its rows."""

    def ask(name: str, **params) -> list[dict]:
        rows = memsql.fetch(connection, f"report/{name}", params)
        connection.commit()
        return rows

    return ask
