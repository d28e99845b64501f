"""The list of everything that is installed, read from the locks, in CycloneDX's format (an SBOM)."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pinwheel.install import maven, npm

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
JARS = sorted(path.parent.name for path in maven.LOCKS.glob("*/jgo.lock.toml"))
NPM = sorted(path.parent.name for path in npm.LOCKS.glob("*/package-lock.json"))
ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def document() -> dict[str, Any]:
    """Every locked package once, by its package URL; a Python package has the hash of each of its files."""
    found = {part["purl"]: part for part in (*_python(), *_jars(), *_npm())}
    components = [found[purl] for purl in sorted(found)]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}


def _component(purl: str, name: str, version: str, hashes: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [{"alg": ALGORITHMS[algorithm], "content": content} for algorithm, content in hashes]
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:{purl}", "hashes": listed}


def _python() -> Iterator[dict[str, Any]]:
    for name, version, files in re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)((?:.*\\\n)*.*)", REQUIREMENTS.read_text(), re.MULTILINE
    ):
        hashes = re.findall(r"--hash=(\w+):([0-9a-f]+)", files)
        yield _component(f"pypi/{name.lower()}@{quote(version)}", name, version, hashes)


def _jars() -> Iterator[dict[str, Any]]:
    for jar in (jar for name in JARS for jar in maven.locked(name)):
        purl = f"maven/{jar.group}/{jar.name}@{jar.version}"
        yield _component(purl, f"{jar.group}:{jar.name}", jar.version, [("sha256", jar.sha256)])


def _npm() -> Iterator[dict[str, Any]]:
    for lock in NPM:
        packages = json.loads((npm.LOCKS / lock / "package-lock.json").read_text())["packages"]
        for path, package in packages.items():
            if path:  # not the lock's own
                name = path.rpartition("node_modules/")[2]
                algorithm, _, content = package["integrity"].partition("-")
                hashes = [(algorithm, b64decode(content).hex())]
                yield _component(f"npm/{quote(name)}@{package['version']}", name, package["version"], hashes)
