"""Everything that is not on PyPI: jars, MariaDB, web files, the location database.

When all of it is there, the check takes milliseconds.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pinwheel.core.errors import MissingPartError
from pinwheel.install import maven, npm, pip, stamps
from pinwheel.install.progress import Progress


@dataclass(frozen=True)
class Tool:
    """A downloaded folder: its title for people, the digest of its inputs, and how to build it."""

    title: str
    folder: Path
    digest: str
    build: Callable[[Path], None]


def spark_home() -> Path:
    """Where pip put Spark, without importing it: that takes a second."""
    spec = find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPartError("pyspark is not installed in this environment; `make run` builds it")
    return Path(spec.submodule_search_locations[0])


def _shipped_jars() -> frozenset[str]:
    """Jars that pyspark brings. If given to Spark again, a second class loader would load them."""
    return frozenset(jar.name for jar in (spark_home() / "jars").glob("*.jar"))


def tools(tools_dir: Path) -> list[Tool]:
    """The tools of the embedded stack, built or not."""
    folder = tools_dir / "jars" / "mariadb"
    return [
        Tool("MariaDB (149 MB)", folder, maven.digest("mariadb"), maven.unpack_mariadb),
        _jars(tools_dir, "kafka", "jars of Kafka"),
        *_shared_tools(tools_dir),
    ]


def server_tools(tools_dir: Path) -> list[Tool]:
    """The tools of the containers of docker-compose.yml; Kafka and the database are separate images."""
    return [
        _jars(tools_dir, "s3", "jars of the S3-compatible store (28 MB)"),
        _jars(tools_dir, "spark-s3", "jars for checkpoints in a store (13 MB)"),
        *_shared_tools(tools_dir),
    ]


def bench_tools(tools_dir: Path) -> list[Tool]:
    """The tools that only the benchmark's baselines need."""
    return [_jars(tools_dir, "bench", "the JDBC driver of the benchmark's baseline")]


def lint_tools(tools_dir: Path) -> list[Tool]:
    """The checkers of the pages, for `make lint` and the browser tests."""
    return [_packages(tools_dir, "js", "biome, tsc and axe (130 MB)")]


def audit_tools(tools_dir: Path) -> list[Tool]:
    """The program that asks for known faults, for `make audit`."""
    return [Tool("pip-audit", tools_dir / "audit", pip.digest("audit"), lambda folder: pip.fetch("audit", folder))]


def _shared_tools(tools_dir: Path) -> list[Tool]:
    return [
        _jars(tools_dir, "spark", "jars of Delta Lake and the Kafka source", _shipped_jars()),
        _packages(tools_dir, "web", "web files and location database (100 MB)"),
    ]


def _packages(tools_dir: Path, name: str, title: str) -> Tool:
    """The npm packages of a lock."""
    return Tool(title, tools_dir / name, npm.digest(name), lambda folder: npm.fetch(name, folder))


def _jars(tools_dir: Path, name: str, title: str, shipped: frozenset[str] = frozenset()) -> Tool:
    """The jars of a lock."""
    return Tool(
        title,
        tools_dir / "jars" / name,
        maven.digest(name, shipped),
        lambda folder: maven.fetch(name, folder, shipped),
    )


def ensure(tools_dir: Path, progress: Progress) -> None:
    """Download the embedded stack's tools that are missing or outdated."""
    fetch(tools(tools_dir), progress)


def fetch(wanted_tools: Iterable[Tool], progress: Progress) -> None:
    """Download, in parallel, the tools that are missing or were built from an older lock."""
    wanted = [tool for tool in wanted_tools if not stamps.is_current(tool.folder, tool.digest)]
    if not wanted:
        return

    def build(tool: Tool) -> None:
        with progress.step(f"Downloading {tool.title}"):
            tool.folder.parent.mkdir(parents=True, exist_ok=True)
            stamps.build_folder(tool.folder, tool.digest, tool.build)

    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(build, wanted))
