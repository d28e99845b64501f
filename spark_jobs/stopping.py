"""Graceful stop of the stream: between two micro-batches, never inside one."""

import os
import signal
import threading
import time
from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from spark_jobs import callbacks

LandBatch = Callable[[DataFrame, int], None]
POLL_SECONDS = 0.2


class StopSwitch:
    """SIGTERM or SIGINT, to this process or to its JVM, ends the query after the current batch.

    ``query.stop()`` would interrupt a running batch, so it waits for the current one; a batch that begins after the
    signal is a no-op. Nothing is lost: the next start reads its offsets from the lake, which does not have that batch.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._asked.set())
        self._forward = _JvmSignal(spark)

    def is_asked(self) -> bool:
        """Whether a stop was requested."""
        return self._asked.is_set()

    def guard(self, land: LandBatch) -> LandBatch:
        """``land``, but a no-op once a stop has been requested."""

        def guarded(records: DataFrame, batch_id: int) -> None:
            if not self._asked.is_set():
                land(records, batch_id)

        return guarded

    def wait(self, query: StreamingQuery) -> None:
        """Wait for the stop; a failed query raises its error."""
        while not self._asked.is_set():
            if query.awaitTermination(POLL_SECONDS):  # type: ignore[arg-type]  # takes fractions of seconds
                return
        while query.isActive and query.status["isTriggerActive"]:
            time.sleep(POLL_SECONDS)
        query.stop()


class _JvmSignal:
    """Forwards SIGTERM from spark-submit's JVM, our parent process, which would otherwise die at once."""

    def __init__(self, spark: SparkSession) -> None:
        callbacks.start(spark)
        signals = spark.sparkContext._jvm.sun.misc.Signal  # type: ignore[union-attr]  # a session has a JVM
        for name in ("TERM", "INT"):
            signals.handle(signals(name), self)

    def handle(self, _: object) -> None:
        """Called by the JVM."""
        os.kill(os.getpid(), signal.SIGTERM)

    class Java:
        """The Java interface that this implements, for py4j."""

        implements = ["sun.misc.SignalHandler"]  # noqa: RUF012 - py4j reads a list
