"""The linters that `make lint` and the commit hooks run."""

import re

import yaml

from pinwheel.local.commands import LINTERS, ON_NODE
from pinwheel.local.settings import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]


def test_hooks_run_what_is_installed_here() -> None:
    assert [repo["repo"] for repo in HOOKS] == ["local"]
    assert {hook["language"] for hook in HOOKS[0]["hooks"]} == {"system"}


def test_every_linter_is_a_hook_and_the_other_way_round() -> None:
    entries = [hook["entry"] for hook in HOOKS[0]["hooks"]]
    named = {match[1] for entry in entries if (match := re.search(r"lint ARGS=(\w+)$", entry))}
    assert named | {"sqlfluff"} == set(LINTERS)
    assert any("/sqlfluff" in entry for entry in entries)


def test_linters_on_node_come_from_their_lock() -> None:
    assert {name for name, words in LINTERS.items() if any("$js/" in word for word in words)} == ON_NODE
