"""People who are bound to brands get Pinwheel's pages, and nothing else of Airflow (ADR 0016).

Airflow's roles know Dags, not brands: the lowest one reads every task's log, every XCom and all Dag code, which are
about all brands. So this middleware of Airflow's API server refuses their requests, whatever their role allows.
"""

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.core_api.security import resolve_user_from_token
from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from plugins.web.access import NOT_KNOWN, RUN_BY_OPERATORS, may_run
from plugins.web.bound_users import BoundUsers, NotKnownError
from plugins.web.errors import answer
from plugins.web.navigation import PAGES, PREFIX

# Airflow's login and its static files; the end of a session; and what anybody may ask without a login.
FOLDERS = (f"{PREFIX}/", "/auth/", "/static/")
OTHERS = ("/api/v2/auth/login", "/api/v2/auth/logout", "/api/v2/monitor/health", "/api/v2/version")
TASKS = "/execution/"  # Airflow's tasks call it with tokens of their own; a person's opens nothing there
FIRST_PAGE = f"{PREFIX}/{next(iter(PAGES))}"


class PagesOnly:
    """Refuses everything but our pages to people who are bound to brands."""

    def __init__(self, app: ASGIApp, bound: BoundUsers) -> None:
        self._app = app
        self._bound = bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refused = None
        if scope["type"] != "lifespan" and not path_of(scope).startswith(TASKS) and not is_open(path_of(scope)):
            refused = await self._refusal(scope)
        await (refused or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        """If one of the request's tokens is a bound user's, whichever Airflow would take."""
        found = tokens(scope)
        if not found or await run_in_threadpool(self._bound.is_nobody):
            return None
        for token in found:
            try:
                user = await resolve_user_from_token(token)
                if await run_in_threadpool(self._bound.of, str(user.get_name())) is not None:
                    return refusal(scope)
            except HTTPException:
                continue  # it opens nothing: Airflow refuses it, too
            except NotKnownError:
                if not await run_in_threadpool(may_run, user, RUN_BY_OPERATORS):
                    return answer(503, "away", NOT_KNOWN)
        return None


def path_of(scope: Scope) -> str:
    """The path as Airflow's router takes it, also where Airflow is under a path of its own."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def is_open(path: str) -> bool:
    """Whether bound people may ask for a path."""
    return path in OTHERS or path.startswith(FOLDERS)


def tokens(scope: Scope) -> set[str]:
    """Every token of a request: Airflow reads the first header that has one, or else the cookie."""
    connection = HTTPConnection(scope)
    found = {value.partition(" ")[2] for value in connection.headers.getlist("authorization")}
    return {token for token in (*found, connection.cookies.get(COOKIE_NAME_JWT_TOKEN, "")) if token}


def refusal(scope: Scope) -> Response:
    """A browser that opens a page of Airflow's is led to ours, for example after its login."""
    if scope.get("method") == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        return RedirectResponse(scope.get("root_path", "") + FIRST_PAGE, 303)
    return answer(403, "forbidden", f"You are bound to some brands: you may see {FIRST_PAGE}, but not Airflow itself.")
