"""The API of the page Explore: read-only SQL as the analysts' database user."""

import logging
import re
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from pinwheel.clients.memsql import connect
from pinwheel.core.settings import MemsqlSettings, WebSettings
from pinwheel.reports.tables import table
from plugins.web.access import SeesAllDep, SettingsDep, Viewer, sees_all
from plugins.web.database import as_analyst
from plugins.web.errors import ErrorBody
from plugins.web.explore_help import Question, Table, dictionary, questions
from plugins.web.explore_run import Cells, Found, Kind, Limits, Slots, Statement, answered
from plugins.web.same_origin import GUARD
from plugins.web.sql_words import refusal

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/explore", tags=["explore"], dependencies=[Depends(sees_all)])

MAX_STATEMENT = 20_000  # characters; an address holds as many
SHOWN_SIZE, FILE_SIZE = 8_000_000, 80_000_000  # bytes of memory that an answer takes, about
NOT_SET = (
    "Explore is not set up: it needs the analysts' database user. Set PINWHEEL_ANALYST_MEMSQL_USER=pinwheel_analyst "
    "and PINWHEEL_ANALYST_MEMSQL_PASSWORD in the environment of Airflow's API server, and restart it."
)
BUSY: dict[int | str, dict[str, object]] = {429: {"model": ErrorBody, "description": "Too many statements run already"}}


class Explore(BaseModel):
    """Help for writing a statement, and its limits. ``person``: the viewer; ``file_rows``: of a CSV file."""

    person: str
    seconds: float
    rows: int
    file_rows: int
    tables: list[Table]
    questions: list[Question]


class Asked(BaseModel):
    """A statement."""

    sql: Annotated[str, Field(max_length=MAX_STATEMENT)]


class ResultColumn(BaseModel):
    """A column of an answer; its cells are texts, as the server writes them."""

    name: str
    kind: Kind


class Answer(BaseModel):
    """The rows of a statement. ``cut_by``: more rows exist than the limit of rows, or of size, allows."""

    columns: list[ResultColumn]
    rows: list[Cells]
    cut_by: Literal["rows", "size"] | None
    seconds: float


def analyst(settings: SettingsDep) -> MemsqlSettings:
    """The database as the analysts' user; 503 if none is configured."""
    found = as_analyst(settings)
    if found is None:
        raise HTTPException(503, NOT_SET)
    return found


AnalystDep = Annotated[MemsqlSettings, Depends(analyst)]


@router.get("")
def explore(viewer: SeesAllDep, analyst: AnalystDep, settings: SettingsDep) -> Explore:
    """Tables and views with their columns, and questions to begin with."""
    with connect(analyst, statement_seconds=settings.page_statement_seconds) as connection:
        return Explore(
            person=viewer.name,
            seconds=settings.explore_statement_seconds,
            rows=settings.explore_max_rows,
            file_rows=settings.explore_file_rows,
            tables=dictionary(connection),
            questions=questions(connection),
        )


@router.post("", dependencies=[GUARD], responses=BUSY)
async def ask(asked: Asked, request: Request, viewer: SeesAllDep, analyst: AnalystDep, settings: SettingsDep) -> Answer:
    """Run one statement that reads. Closing the connection ends it."""
    limits = Limits(settings.explore_statement_seconds, settings.explore_max_rows, SHOWN_SIZE)
    found = await _run(asked.sql, limits, request, viewer, analyst)
    columns = [ResultColumn(name=n, kind=k) for n, k in zip(found.names, found.kinds, strict=True)]
    return Answer(columns=columns, rows=found.rows, cut_by=found.cut_by, seconds=found.seconds)


@router.post("/file", dependencies=[GUARD], include_in_schema=False)
async def file(
    asked: Asked, request: Request, viewer: SeesAllDep, analyst: AnalystDep, settings: SettingsDep
) -> Response:
    """The same as CSV, with more rows; the header ``X-Cut-By`` says what kept further ones out."""
    limits = Limits(settings.explore_statement_seconds, settings.explore_file_rows, FILE_SIZE)
    found = await _run(asked.sql, limits, request, viewer, analyst)
    headers = {"Content-Disposition": 'attachment; filename="explore.csv"', "X-Rows": str(len(found.rows))}
    headers |= {"X-Cut-By": found.cut_by} if found.cut_by else {}
    body = await run_in_threadpool(_csv, found)  # seconds for a large one, and the loop serves all of Airflow
    return Response(body, headers=headers, media_type="text/csv; charset=utf-8")


async def _run(sql: str, limits: Limits, request: Request, viewer: Viewer, analyst: MemsqlSettings) -> Found:
    if (why := refusal(sql)) is not None:
        raise HTTPException(422, why)
    slots: Slots = request.app.state.slots
    found = await answered(request, Statement(analyst, sql, limits), limits, slots, viewer.name)
    log.info(
        "explore person=%s rows=%d seconds=%.2f", viewer.name, len(found.rows), found.seconds
    )  # not what was asked
    return found


def slots(settings: WebSettings) -> Slots:
    """The app's."""
    return Slots(settings.explore_max_running, settings.explore_max_running_each)


def _csv(found: Found) -> bytes:
    """Safe for spreadsheets: texts that begin as a formula are quoted, and numbers are numbers."""
    return table(found.names, ([_cell(*pair) for pair in zip(row, found.kinds, strict=True)] for row in found.rows))


def _cell(cell: str | None, kind: Kind) -> str | Decimal | None:
    is_number = kind == "number" and cell is not None and re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", cell)
    return Decimal(cell) if cell is not None and is_number else cell
