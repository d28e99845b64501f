"""Passwords can't be tried quickly: of one address, a failed login is answered each second, and few may wait.

Airflow's simple auth manager answers as fast as it is asked; others have limits of their own.
"""

import asyncio
from collections import Counter
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugins.web.bound import path_of
from plugins.web.errors import answer

LOGINS = ("/auth/token", "/auth/token/cli")
SECONDS = 1.0  # per failed login
MOST_WAITING = 5  # failed logins of one address


class SlowLogins:
    """Delays the answers to failed logins. A login that succeeds does not wait."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting: Counter[str] = Counter()  # by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; 429 while too many failed logins of its address wait."""
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope) not in LOGINS:
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("",))[0]

        async def slowly(message: Message) -> None:
            if message.get("status") == HTTPStatus.UNAUTHORIZED:
                self._waiting[address] += 1
                await asyncio.sleep(SECONDS * self._waiting[address])
                self._waiting -= Counter([address])  # and forgets an address of which none waits
            await send(message)

        if self._waiting[address] < MOST_WAITING:
            await self._app(scope, receive, slowly)
        else:
            refused = answer(
                HTTPStatus.TOO_MANY_REQUESTS, "too_often", "Too many logins have failed: wait some seconds."
            )
            await refused(scope, receive, send)
