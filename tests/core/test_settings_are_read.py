"""Every setting is read by some code: setting an unread one would have no effect."""

import ast
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from tests.support.settings_classes import settings_classes

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pinwheel", "spark_jobs", "expectations", "dags", "plugins")


def reads() -> re.Pattern[str]:
    """Attribute names that the code reads: ``x.name``, and the text or pattern in ``getattr(x, …)``."""
    found: set[str] = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    found.add(re.escape(node.attr))
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                    found.add(pattern(node.args[1]))
    return re.compile("|".join(found - {r"\w+"}))


def pattern(name: ast.expr) -> str:
    """A regular expression for the names that a ``getattr`` may read."""
    if isinstance(name, ast.JoinedStr):
        return "".join(re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"\w+" for v in name.values)
    return re.escape(str(name.value)) if isinstance(name, ast.Constant) else r"\w+"


def unread(cls: type[BaseSettings], known: re.Pattern[str]) -> list[str]:
    return [name for name in cls.model_fields if not known.fullmatch(name)]


def test_every_setting_is_read() -> None:
    known = reads()
    assert {cls.__name__: found for cls in settings_classes() if (found := unread(cls, known))} == {}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('getattr(x, "port")', "port"),
        ('getattr(x, f"{role}_password")', r"\w+_password"),
        ("getattr(x, name)", r"\w+"),
    ],
)
def test_a_name_that_is_put_together_is_a_pattern(code: str, expected: str) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert pattern(call.args[1]) == expected
