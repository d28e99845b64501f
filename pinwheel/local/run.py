"""``pinwheel run``: starts the stack, sends events, prints the first rollup, then a status line until Ctrl-C."""

import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.table import Table

from pinwheel.core.errors import LocalError
from pinwheel.install.progress import Progress, shown
from pinwheel.local import airflow, environment
from pinwheel.local.processes import Program
from pinwheel.local.settings import ROOT, LocalSettings
from pinwheel.local.stack import GENERATOR, Stack
from pinwheel.local.watch import Watch, line

STATUS_SECONDS = 2.0
PLAIN_STATUS_SECONDS = 30.0  # in a log, where a status does not overwrite the previous one
FIRST_ROLLUP_SECONDS = 300.0
BACKFILL_DONE = "backfill.done"
PRODUCE = (sys.executable, "-m", "pinwheel.generate.produce")


def run(settings: LocalSettings) -> None:
    """Start the stack and keep it up until Ctrl-C, SIGTERM or a closed terminal; then end all of it."""
    console = Console(highlight=False)
    stack = Stack(settings)
    begin = time.monotonic()
    with _stopped_by_signals():
        try:
            with shown() as progress:
                _start(stack, progress)
                watch = Watch(settings, stack.credentials)
                _wait_for_first_rollup(stack, watch, progress)
            _print_report(console, stack, watch, time.monotonic() - begin)
            _keep_up(console, stack, watch)
        except KeyboardInterrupt:
            pass
        finally:
            _stop(console, stack)


def _start(stack: Stack, progress: Progress) -> None:
    """Start the stack; sends events as soon as Kafka is up, while Airflow is still starting."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send_when_up, stack, progress)
        try:
            stack.start(progress)
        finally:
            stack.ended.set()  # after a failed start the sender must not wait for Kafka for ever
        sending.result()


def _send_when_up(stack: Stack, progress: Progress) -> None:
    while not stack.is_up("kafka"):
        if stack.ended.wait(0.2):
            return
    _send_backfill(stack, progress)
    settings = stack.settings
    # Seeded with the time, so that no other run sends the same event ids.
    words = ("--rate", f"{settings.demo_rate:g}", "--count", "0", "--seed", str(int(time.time())))
    stack.owned(GENERATOR).start(_generator(stack, *words), ROOT)


def _send_backfill(stack: Stack, progress: Progress) -> None:
    """Send the history, once per stack. If it is interrupted, the next run sends it again; the merge deduplicates."""
    settings = stack.settings
    done = settings.stack_dir / BACKFILL_DONE
    if done.exists() or settings.demo_backfill == 0:
        return
    words = ("--rate", "0", "--count", str(settings.demo_backfill), "--seed", str(settings.catalogue_seed))
    hours = ("--backfill-hours", f"{settings.demo_backfill_hours:g}")
    with progress.step(f"Sending {settings.demo_backfill:,} events of the last {settings.demo_backfill_hours:g} hours"):
        stack.run_once(_generator(stack, *words, *hours))
    done.touch()


def _generator(stack: Stack, *words: str) -> Program:
    return Program(GENERATOR, (*PRODUCE, *words), environment.for_generator(stack.settings, stack.credentials))


def _wait_for_first_rollup(stack: Stack, watch: Watch, progress: Progress) -> None:
    begin, said = time.monotonic(), ""
    with progress.step("Waiting for the first brand rollup") as say:
        while not any(row["repins"] for row in watch.top_brands()):  # tables are merged separately: wait for repins
            if time.monotonic() - begin > FIRST_ROLLUP_SECONDS:
                raise LocalError(
                    f"no brand rollup after {FIRST_ROLLUP_SECONDS:.0f} s, still waiting for {watch.waiting_for()}; "
                    f"see the Dags at {stack.settings.airflow_url} and the logs in {stack.settings.logs_dir}"
                )
            stack.heal()
            waiting = watch.waiting_for()
            if waiting != said:
                say(waiting)
                said = waiting
            time.sleep(0.5)


def _print_report(console: Console, stack: Stack, watch: Watch, seconds: float) -> None:
    table = Table(title=f"Top brands, {seconds:.0f} s after the start", title_justify="left")
    for name in ("Brand", "Repins", "Comments", "Pins", "People in the best hour"):
        table.add_column(name, justify="left" if name == "Brand" else "right")
    for row in watch.top_brands():
        brand, *counts = row.values()
        table.add_row(str(brand), *(f"{int(count):,}" for count in counts))
    console.print(table)
    console.print(f"Airflow   {stack.settings.airflow_url}")
    for name, password in airflow.logins(stack.credentials).items():
        console.print(f"Login     {name} / {password}", markup=False, highlight=False)
    console.print("SQL       make sql")
    console.print("Stop      Ctrl-C here, or `make stop` in another terminal\n")


def _keep_up(console: Console, stack: Stack, watch: Watch) -> None:
    """Print the status and restart programs that die, until a signal arrives."""
    shown_at = float("-inf")
    while True:
        # A full disk takes neither a log nor a status line. It must not end everything: the next turn tries again.
        with suppress(OSError):
            for name in stack.heal():
                console.print(f"[yellow]{name} died and was restarted")
            stack.rotate_logs()
            every = STATUS_SECONDS if console.is_terminal else PLAIN_STATUS_SECONDS
            if time.monotonic() - shown_at >= every:
                shown_at = time.monotonic()
                _show(console, line(watch.pulse()))
        time.sleep(STATUS_SECONDS)


def _show(console: Console, text: str) -> None:
    """Overwrite the previous line on a terminal; print a new one elsewhere."""
    if console.is_terminal:
        console.print(f"\r\x1b[2K{text}", end="", soft_wrap=True)
    else:
        console.print(text, soft_wrap=True)


def _stop(console: Console, stack: Stack) -> None:
    """End everything; further signals are ignored, because they would leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not stack.lock.held:
        return
    console.print("\nStopping …")
    begin = time.monotonic()
    stack.stop()
    console.print(f"Everything has ended ({time.monotonic() - begin:.0f} s). The next `make run` continues from here.")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the run as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    yield
