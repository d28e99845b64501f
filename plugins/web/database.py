"""Read-only questions to the reporting database, as its reader; a connection for each request, so that it heals."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

from fastapi import Depends
from pydantic import SecretStr

from pinwheel.memsql import Connection, connect
from pinwheel.settings import MemsqlSettings, WebSettings
from plugins.web.access import SettingsDep


def as_reader(settings: WebSettings) -> MemsqlSettings:
    """The settings with the user who may only read, if there is one of its own."""
    reader = os.environ.get("PINWHEEL_REPORT_MEMSQL_USER")
    if not reader:
        return settings
    password = SecretStr(os.environ.get("PINWHEEL_REPORT_MEMSQL_PASSWORD", ""))
    return settings.model_copy(update={"memsql_user": reader, "memsql_password": password})


def database(settings: SettingsDep) -> Iterator[Connection]:
    """A connection for one request; its user may change nothing."""
    reader = as_reader(settings)
    with closing(connect(reader, statement_seconds=settings.page_statement_seconds)) as connection:
        yield connection


DatabaseDep = Annotated[Connection, Depends(database)]
