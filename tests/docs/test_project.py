"""Facts repeated in files around the code agree with it: the versions of project, Python and Java, and the port."""

import json
import re
import tomllib

from pinwheel.install import bootstrap
from pinwheel.local.settings import LocalSettings
from tests.support.generated import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
DEVCONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_the_changelog_has_this_version_behind_what_is_unreleased() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", heads[1])


def test_the_image_is_tagged_with_this_version() -> None:
    assert set(re.findall(r"image: pinwheel:(\S+)", (ROOT / "docker-compose.yml").read_text())) == {VERSION}


def test_the_devcontainer_has_what_the_bootstrap_asks_for() -> None:
    (java,) = DEVCONTAINER["features"].values()
    assert java["version"] == str(bootstrap.JAVA)
    assert "python:{}.{}-".format(*bootstrap.PYTHON) in DEVCONTAINER["image"]
    assert DEVCONTAINER["forwardPorts"] == [LocalSettings.model_fields["airflow_port"].default]
