"""The database as analysts see it."""

from collections.abc import Iterator

import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.local import environment
from pinwheel.local.stack import Stack


@pytest.fixture
def analyst(stack_with_memsql: Stack) -> Iterator[Connection]:
    """A connection of the analyst's, to the embedded stack's own database."""
    opened = memsql.connect(environment.memsql(stack_with_memsql.settings, stack_with_memsql.credentials, "analyst"))
    with opened:
        yield opened
