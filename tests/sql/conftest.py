"""The questions are asked on what the merge has made of a small lake."""

import pytest

from pinwheel.clients import memsql


@pytest.fixture
def report(connection):
    """Asks a report; returns its rows."""

    def ask(name: str, **params) -> list[dict]:
        rows = memsql.fetch(connection, f"questions/{name}", params)
        connection.commit()
        return rows

    return ask
