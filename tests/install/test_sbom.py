"""The list of packages has everything that is locked, each once, with its hashes."""

import re
from collections import Counter

from pinwheel.install import maven, sbom

HEX = {"SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}


def test_every_locked_package_is_listed_once_with_its_hashes() -> None:
    components = sbom.document()["components"]
    listed = {component["purl"] for component in components}
    assert len(listed) == len(components)
    kinds = Counter(purl.partition("/")[0] for purl in listed)
    assert kinds["pkg:pypi"] == len(re.findall(r"^\S+==", sbom.REQUIREMENTS.read_text(), re.MULTILINE))
    assert kinds["pkg:maven"] == len({jar for name in sbom.JARS for jar in maven.locked(name)})
    assert kinds["pkg:npm"] > 10
    for component in components:
        assert component["hashes"], component["name"]
        assert all(re.fullmatch(rf"[0-9a-f]{{{HEX[h['alg']]}}}", h["content"]) for h in component["hashes"])
