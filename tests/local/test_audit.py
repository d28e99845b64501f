"""`make audit`: a fault is shown and fails; an answer that did not come is never taken for none."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from pinwheel.install import tools
from pinwheel.local import audit
from pinwheel.local.settings import LocalSettings

NO_FAULTS = {"pip": {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}, "npm": {"vulnerabilities": {}}}
FAULTY = {
    "pip": {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}]},
    "npm": {"vulnerabilities": {"b": {"range": "<3", "severity": "high"}}},
}
SKIPPED = {"dependencies": [{"name": "a", "skip_reason": "not on PyPI"}]}
AWAY = {"error": {"summary": ""}}


@pytest.mark.parametrize(
    ("pip", "npm", "code", "shown"),
    [
        (NO_FAULTS["pip"], NO_FAULTS["npm"], 0, "requirements.txt: no known faults"),
        (FAULTY["pip"], NO_FAULTS["npm"], 1, "a 1: CVE-1, fixed in 2"),
        (FAULTY["pip"], AWAY, 1, "npm web: UNKNOWN, the data is not reachable: error: away"),
        (NO_FAULTS["pip"], FAULTY["npm"], 1, "b <3: high"),
        (SKIPPED, NO_FAULTS["npm"], audit.UNKNOWN, "1 of 1 packages: not on PyPI"),
        (NO_FAULTS["pip"], AWAY, audit.UNKNOWN, "npm web: UNKNOWN"),
        ("", NO_FAULTS["npm"], audit.UNKNOWN, "requirements.txt: UNKNOWN"),
    ],
)
def test_what_is_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pip: Any,
    npm: Any,
    code: int,
    shown: str,
) -> None:
    def answer(command: tuple[str, ...], **_: Any) -> "subprocess.CompletedProcess[str]":
        found = pip if "pip_audit" in command else npm
        return subprocess.CompletedProcess(command, 1, json.dumps(found) if found else "", "warn x\nerror: away\n")

    monkeypatch.setattr(tools, "fetch", lambda *_: None)
    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setattr(audit, "jar_faults", lambda _: [])
    assert audit.audit(LocalSettings(state_dir=tmp_path)) == code
    assert shown in capsys.readouterr().out
    assert json.loads((tmp_path / audit.SBOM_FILE).read_text())["components"]


@pytest.mark.parametrize(
    ("status", "vulns", "expected"),
    [(200, [], []), (200, [{"id": "GHSA-1"}], "pkg:maven/.*: GHSA-1"), (503, [], "UNKNOWN.*503")],
)
def test_jars_are_asked_for_by_their_coordinates(
    monkeypatch: pytest.MonkeyPatch, status: int, vulns: list[dict[str, str]], expected: Any
) -> None:
    def post(url: str, json: Any, timeout: float) -> httpx.Response:
        results = [{"vulns": vulns} if not n and vulns else {} for n, _ in enumerate(json["queries"])]
        return httpx.Response(status, json={"results": results}, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)
    found = audit.jar_faults(["pkg:pypi/a@1", "pkg:maven/b/c@2", "pkg:maven/d/e@3"])
    assert re.search(expected, audit.told(found)) if expected else found == []
