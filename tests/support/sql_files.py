"""Parsing the headers of SQL files."""

import re
from pathlib import Path

HEADER = ("name", "purpose", "grain", "reads", "writes", "params")


def header(path: Path) -> dict[str, str]:
    lines = path.read_text().split("\n")
    return dict(re.findall(r"^-- (\w+): +(.*)$", "\n".join(lines[: len(HEADER) + 1]), re.MULTILINE))
