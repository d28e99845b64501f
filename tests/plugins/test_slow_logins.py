"""Failed logins wait for their answer, and few may wait; others do not."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from plugins.web.slow_logins import MOST_WAITING, SECONDS, SlowLogins


class Browser:
    """Asks an Airflow that takes the password ``right`` only, through the middleware, in a time of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pauses: list[float] = []
        self.over = asyncio.Event()
        self.logins = SlowLogins(self.airflow)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.over.wait()

    async def airflow(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 201 if scope["headers"] == ["right"] else 401
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, password: str = "wrong", address: str = "10.0.0.1", path: str = "/auth/token") -> int:
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "POST", "path": path, "headers": [password], "client": (address, 1)}
        await self.logins(scope, receive, send)
        return int(told[0]["status"])


def test_failed_logins_are_answered_one_a_second_and_no_other_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attack() -> None:
        browser = Browser(monkeypatch)
        async with asyncio.TaskGroup() as group:
            failing = [group.create_task(browser.ask()) for _ in range(MOST_WAITING)]
            other = group.create_task(browser.ask(address="10.0.0.2"))
            right = group.create_task(browser.ask("right", address="10.0.0.2"))
            elsewhere = group.create_task(browser.ask(path="/api/v2/dags"))
            late = group.create_task(browser.ask())
            assert (await right, await elsewhere, await late) == (201, 401, 429)
            browser.over.set()
        assert {task.result() for task in [*failing, other]} == {401}
        assert sorted(browser.pauses) == sorted([SECONDS, *(SECONDS * n for n in range(1, MOST_WAITING + 1))])
        assert not browser.logins._waiting, "an address is forgotten"
        assert await browser.ask("right") == 201

    asyncio.run(attack())
