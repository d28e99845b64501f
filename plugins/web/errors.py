"""One shape for every error: ``{"error": {"code": …, "message": …}}``.

The message is for the reader of the page. Details that reveal hosts or paths go to the log only.
"""

import logging
from urllib.parse import quote

import pymysql
from deltalake.exceptions import DeltaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from pinwheel.clients.memsql import NO_SUCH_TABLE
from pinwheel.core.errors import LakeError, MemsqlError
from plugins.web.headers import HEADERS
from plugins.web.navigation import PREFIX

log = logging.getLogger(__name__)

CODES = {
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    409: "conflict",
    415: "wrong_type",
    422: "bad_request",
    429: "too_often",
    503: "away",
}


class Error(BaseModel):
    """An error: ``code`` for programs, ``message`` for people."""

    code: str
    message: str


class ErrorBody(BaseModel):
    """The body of every error response."""

    error: Error


RESPONSES: dict[int | str, dict[str, object]] = {
    401: {"model": ErrorBody, "description": "Not signed in to Airflow"},
    403: {"model": ErrorBody, "description": "Not allowed"},
    404: {"model": ErrorBody, "description": "It does not exist, or you may not see it"},
    422: {"model": ErrorBody, "description": "A parameter is invalid"},
    500: {"model": ErrorBody, "description": "A fault in Pinwheel; the API server's log has the details"},
    503: {"model": ErrorBody, "description": "MemSQL or the lake is unavailable, or there are too many viewers"},
}


def answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error response; browsers never cache it."""
    body = ErrorBody(error=Error(code=code, message=message)).model_dump()
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})


def install(app: FastAPI) -> None:
    """Register a handler for every kind of error."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MemsqlError, _memsql)
    app.add_exception_handler(pymysql.err.Error, _memsql)
    app.add_exception_handler(LakeError, _lake)
    app.add_exception_handler(DeltaError, _lake)
    app.add_exception_handler(Exception, _fault)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if error.status_code == 401 and is_page and request.scope.get("root_path", "").endswith(PREFIX):
        return RedirectResponse(_login(request), 303)  # a person who opens a page, and comes back to it
    code = CODES.get(error.status_code, "failed")
    return answer(error.status_code, code, str(error.detail), dict(error.headers or {}))


def _login(request: Request) -> str:
    """The address of Airflow's login, which leads back here; both without the host, which a proxy may change."""
    query = f"?{request.url.query}" if request.url.query else ""
    airflow = request.scope["root_path"].removesuffix(PREFIX)
    return f"{airflow}/api/v2/auth/login?next={quote(request.url.path + query)}"


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    text = "; ".join(f"{'.'.join(str(part) for part in bad['loc'][1:])}: {bad['msg']}" for bad in error.errors())
    return answer(422, CODES[422], text)


def _memsql(request: Request, error: Exception) -> JSONResponse:
    log.warning("page=%s memsql: %s", request.url.path, error)
    if isinstance(error, pymysql.err.ProgrammingError) and error.args[:1] == (NO_SUCH_TABLE,):
        return answer(503, "no_tables", "The reporting tables do not exist yet; `pinwheel schema` creates them.")
    return answer(503, "memsql_away", "The reporting database does not answer. This page retries by itself.")


def _lake(request: Request, error: Exception) -> JSONResponse:
    log.warning("page=%s lake: %s", request.url.path, error)
    return answer(503, "lake_away", "The lake can't be read. This page retries by itself.")


def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("page=%s", request.url.path, exc_info=error)
    text = "Pinwheel failed. The log of Airflow's API server has the details."
    return answer(500, "fault", text, HEADERS)  # this response bypasses the middleware
