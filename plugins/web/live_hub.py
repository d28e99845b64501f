"""One reader of the lake for all viewers of the globe; it starts with the first viewer and stops after the last.

The reader is a thread. It renders each batch once per lens and puts the text into every seat's queue. A seat whose
viewer is slow loses its oldest updates, and the viewer sees how many.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from deltalake.exceptions import DeltaError

from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import WebSettings
from pinwheel.lake.tail import Batch, Tail
from plugins.web.live_lens import Lens

log = logging.getLogger(__name__)

QUEUE = 80  # updates queued per viewer: more than a replay of 60 s with one commit a second
EXPECTED = (PinwheelError, DeltaError, OSError)  # raised when the lake can't be read
LONGEST_PAUSE = 10.0  # seconds between retries while the lake can't be read

State = Literal["starting", "ok", "away"]


class FullError(PinwheelError):
    """The maximum number of viewers is reached."""


@dataclass(frozen=True)
class Message:
    """A rendered update. ``past``: it landed before the viewer joined."""

    version: int
    text: str
    past: bool


class Seat:
    """One viewer's bounded queue, between the reader's thread and the viewer's task on the event loop."""

    def __init__(self, lens: Lens, loop: asyncio.AbstractEventLoop) -> None:
        self.lens = lens
        self._loop = loop
        self._ready = asyncio.Event()
        self._waiting: deque[Message] = deque()
        self._dropped = 0
        self._state: State | None = None
        self._closed = False
        self._lock = threading.Lock()

    def put(self, message: Message) -> None:
        """Called by the reader; drops the oldest update if the queue is full."""
        with self._lock:
            if len(self._waiting) >= QUEUE:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(message)
        self._wake()

    def set_state(self, state: State) -> None:
        """Called by the reader: the lake's state."""
        with self._lock:
            self._state = state
        self._wake()

    def close(self) -> None:
        """End the viewer's stream."""
        self._closed = True
        self._wake()

    async def take(self, seconds: float) -> tuple[State | None, int, list[Message], bool]:
        """Wait up to ``seconds`` for news; returns the state if it changed, the number of lost updates, the updates,
        and whether the stream has ended."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            return None, 0, [], self._closed
        self._ready.clear()
        with self._lock:
            taken = (self._state, self._dropped, list(self._waiting), self._closed)
            self._state, self._dropped = None, 0
            self._waiting.clear()
        return taken

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)


class Hub:
    """All viewers' seats, and the reader while there are any."""

    def __init__(self, settings: WebSettings, tail: Callable[[], Tail] | None = None) -> None:
        self._settings = settings
        self._back = timedelta(seconds=settings.live_replay_seconds)
        self._tail = tail or (lambda: Tail(settings.events_uri, self._back))
        self._seats: set[Seat] = set()
        self._history: deque[Batch] = deque()
        self._state: State = "starting"
        self._closed = False
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def viewers(self) -> int:
        """Number of viewers now."""
        return len(self._seats)

    @property
    def is_reading(self) -> bool:
        """Whether the reader runs."""
        return self._thread is not None

    def join(self, lens: Lens, after: int | None, loop: asyncio.AbstractEventLoop) -> Seat:
        """A seat whose queue holds the last minute, or only updates newer than version ``after``.

        Blocks, so never call it on the event loop.

        Raises:
            FullError: all seats are taken; the message says how many there are.
        """
        seat = Seat(lens, loop)
        with self._lock:
            if len(self._seats) >= self._settings.live_max_viewers:
                raise FullError(
                    f"{self._settings.live_max_viewers} people are watching already, which is the maximum "
                    "(PINWHEEL_LIVE_MAX_VIEWERS). This page retries by itself."
                )
            if self._thread is not None:
                self._replay(seat, after)
            self._seats.add(seat)
            if self._thread is None and not self._closed:
                self._state = "starting"
                self._thread = threading.Thread(target=self._run, args=(after,), name="live-reader", daemon=True)
                self._thread.start()
        return seat

    def leave(self, seat: Seat) -> None:
        """Give the seat back. Takes no lock: it runs on the event loop, in a request that is being cancelled."""
        self._seats.discard(seat)
        self._look.set()

    def close(self) -> None:
        """End every stream, because the server is stopping."""
        with self._lock:
            self._closed = True
            seats = list(self._seats)
        for seat in seats:
            seat.close()
        self._look.set()

    def _replay(self, seat: Seat, after: int | None) -> None:
        oldest = datetime.now(UTC) - self._back
        for batch in self._history:
            if batch.received_at >= oldest and (after is None or batch.version > after):
                seat.put(Message(batch.version, self._text(seat.lens, batch), past=True))
        seat.set_state(self._state)

    def _run(self, after: int | None) -> None:
        """The reader's loop, until there are no viewers. ``after``: the version that the first viewer has seen."""
        tail, past, pause = self._tail(), True, self._settings.live_poll_seconds
        while self._goes_on():
            try:
                batches = tail.read()
                self._send([b for b in batches if not past or after is None or b.version > after], past)
            except Exception as error:  # the reader must go on: if it ended here, no viewer would get updates again
                log.warning("live reader: lake unavailable: %s", error, exc_info=not isinstance(error, EXPECTED))
                self._set_state("away")
                tail, pause = self._tail(), min(LONGEST_PAUSE, pause * 2)
            else:
                self._set_state("ok")
                past, pause = False, self._settings.live_poll_seconds
            self._look.wait(pause)
            self._look.clear()

    def _goes_on(self) -> bool:
        with self._lock:
            if self._seats and not self._closed:
                return True
            self._thread = None
            self._history.clear()
            return False

    def _send(self, batches: list[Batch], past: bool) -> None:
        for batch in batches:
            with self._lock:
                seats = list(self._seats)
                self._history.append(batch)
                while self._history and self._history[0].received_at < batch.received_at - self._back:
                    self._history.popleft()
                texts = {lens: self._text(lens, batch) for lens in {seat.lens for seat in seats}}
                for seat in seats:
                    seat.put(Message(batch.version, texts[seat.lens], past))

    def _set_state(self, state: State) -> None:
        with self._lock:
            if state != self._state:
                self._state = state
                for seat in list(self._seats):
                    seat.set_state(state)

    @staticmethod
    def _text(lens: Lens, batch: Batch) -> str:
        return lens.update(batch, datetime.now(UTC)).model_dump_json()
