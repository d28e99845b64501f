"""A proxy between a campaign's programs and their servers: slow, cut off, or with a liar in the server's place."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pinwheel.local.parts import LOOPBACK

CHUNK = 65536  # bytes
SLOW_SECONDS, SLOW_CHUNK = 0.1, 16384  # 160 kB a second in each connection, and a tenth of a second for each answer


class Link:
    """The way to one server."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.port = 0  # where it listens
        self.slow = self.cut = False
        self.liar_port: int | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take a free port."""
        self._listener = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    def end(self) -> None:
        """Listen no more, and close all connections."""
        self._listener.close()
        self.drop()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if not self.cut:
                await self._pass_on(reader, writer)
        except OSError:
            pass  # either side has gone: so does the other
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(LOOPBACK, self.liar_port or self.server_port)
        self._open.add(to_server)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, to_server))
                both.create_task(self._pump(from_server, writer))
        except* OSError:
            pass
        finally:
            self._open.discard(to_server)
            to_server.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(SLOW_CHUNK if self.slow else CHUNK):
            if self.slow:
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError  # ends the other direction too

    def drop(self) -> None:
        """Close all connections."""
        for writer in tuple(self._open):
            with suppress(OSError):
                writer.transport.abort()


class Network:
    """The links of a stack, by the name of the server, in a thread of their own."""

    def __init__(self, servers: Mapping[str, int]) -> None:
        self.links = {name: Link(port) for name, port in servers.items()}
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def running(self) -> Iterator[dict[str, int]]:
        """Yield the port of each link."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            for link in self.links.values():
                asyncio.run_coroutine_threadsafe(link.listen(), self._loop).result(10)
            yield {name: link.port for name, link in self.links.items()}
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for link in self.links.values():
            link.end()
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    def slow(self, name: str, is_slow: bool) -> None:
        """Pass everything on in small parts, or as it comes."""
        self.links[name].slow = is_slow

    def cut(self, name: str, is_cut: bool) -> None:
        """Close the connections and let no new one through, or let them through again."""
        link = self.links[name]
        link.cut = is_cut
        if is_cut:
            self._loop.call_soon_threadsafe(link.drop)

    def lie(self, name: str, liar_port: int | None) -> None:
        """Let a liar answer in the server's place, or no longer; connections begin anew."""
        link = self.links[name]
        link.liar_port = liar_port
        self._loop.call_soon_threadsafe(link.drop)
