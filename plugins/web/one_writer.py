"""One writing request at a time, where Airflow's own database is SQLite: two at once stopped the whole API server.

Airflow writes its audit log on the event loop. SQLite has one writer, and a request that has written commits only when
the event loop gives it its turn. So the second request waited on the event loop for the first, and the first for the
event loop, until SQLite's timeout ended one of them with an error; no page and no task was answered meanwhile.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugins.web.bound import path_of

# Not logins, whose answers may be delayed; our pages write nothing of Airflow's.
PARTS = ("/api/", "/ui/", "/execution/")
READS = ("GET", "HEAD", "OPTIONS")


class OneWriter:
    """Passes on one writing request after the other. Reads do not wait."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. A client that sends or reads slowly keeps nobody waiting."""
        if scope["type"] != "http" or not writes(scope["method"], path_of(scope)):
            await self._app(scope, receive, send)
            return
        sent = [await receive()]
        while sent[-1].get("more_body"):
            sent.append(await receive())
        answer: list[Message] = []

        async def next_sent() -> Message:
            return sent.pop(0) if sent else await receive()

        async def keep(message: Message) -> None:
            answer.append(message)

        async with self._turn:
            await self._app(scope, next_sent, keep)
        for message in answer:
            await send(message)


def writes(method: str, path: str) -> bool:
    """Whether Airflow may write to its database for a request."""
    return method not in READS and path.startswith(PARTS)
