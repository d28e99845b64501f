"""``pinwheel audit``: the locked packages with known faults, and the list of all of them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from pinwheel.install import npm, sbom, tools
from pinwheel.install.progress import shown
from pinwheel.local.settings import LocalSettings

SBOM_FILE = "sbom.cdx.json"
UNKNOWN = 2  # exit code: nothing is known to be faulty, but not everything could be asked
PIP_AUDIT = ("-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
OSV = "https://api.osv.dev/v1/querybatch"
Faults = list[str]


def audit(settings: LocalSettings) -> int:
    """Print the known faults of every lock, and write the list of packages; returns 1 if there is a fault.

    Returns ``UNKNOWN`` if there is none, but the faults of some lock could not be asked for.
    """
    with shown() as progress:
        tools.fetch(tools.audit_tools(settings.tools_dir), progress)
    path = settings.state_dir / SBOM_FILE
    document = sbom.document()
    path.write_text(json.dumps(document, indent=1))
    print(f"All packages: {path}")
    asked = {f"npm {name}": npm_faults(name) for name in sbom.NPM}
    asked |= {
        "requirements.txt": python_faults(settings.tools_dir),
        "jars": jar_faults(part["purl"] for part in document["components"]),
    }
    for name, faults in asked.items():
        print(f"{name}: {told(faults)}")
    if any(faults for faults in asked.values() if not isinstance(faults, str)):
        return 1
    return UNKNOWN if any(isinstance(faults, str) for faults in asked.values()) else 0


def told(faults: Faults | str) -> str:
    """A lock's faults, for people."""
    if isinstance(faults, str):
        return f"UNKNOWN, the data is not reachable: {faults}"
    return "\n  ".join(["known faults:", *faults]) if faults else "no known faults"


def python_faults(tools_dir: Path) -> Faults | str:
    """Faults of the Python packages; a text: why they are unknown."""
    command = (sys.executable, *PIP_AUDIT, "--requirement", str(sbom.REQUIREMENTS))
    environment = {**os.environ, "PYTHONPATH": str(tools_dir / "audit")}
    return _read(subprocess.run(command, env=environment, capture_output=True, text=True, check=False), _of_pip_audit)


def npm_faults(name: str) -> Faults | str:
    """Faults of the packages of an npm lock; a text: why they are unknown."""
    with tempfile.TemporaryDirectory() as folder:
        return _read(npm.run(name, Path(folder), "audit", "--json", "--package-lock-only"), _of_npm)


def jar_faults(packages: Iterable[str]) -> Faults | str:
    """Faults of the jars among package URLs by OSV, which knows Maven's coordinates; a text: why they are unknown."""
    purls = [purl for purl in packages if purl.startswith("pkg:maven/")]
    try:
        answer = httpx.post(OSV, json={"queries": [{"package": {"purl": purl}} for purl in purls]}, timeout=60)
        results = answer.raise_for_status().json()["results"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"{OSV}: {type(error).__name__}: {error}"[:300]
    found = zip(purls, results, strict=True)
    return [f"{purl}: {', '.join(v['id'] for v in result['vulns'])}" for purl, result in found if result.get("vulns")]


def _read(done: "subprocess.CompletedProcess[str]", read: Callable[[Any], Faults | str]) -> Faults | str:
    try:
        return read(json.loads(done.stdout))
    except (ValueError, KeyError):  # an error instead of an answer
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return next((line for line in lines if "rror" in line), lines[-1] if lines else "no answer")[:300]


def _of_pip_audit(answer: Any) -> Faults | str:
    packages = answer["dependencies"]
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, fixed in {', '.join(fault['fix_versions']) or 'none'}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return faults or (f"{len(skipped)} of {len(packages)} packages: {skipped[0]}" if skipped else [])


def _of_npm(answer: Any) -> Faults:
    return [f"{name} {fault['range']}: {fault['severity']}" for name, fault in answer["vulnerabilities"].items()]
