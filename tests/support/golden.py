"""Golden files: outputs kept in ``tests/golden/``, so that a change of them shows in review.

Refresh them with ``PINWHEEL_UPDATE_GOLDEN=1``, and look at the diff.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def check(name: str, text: str) -> None:
    """Compare with ``tests/golden/<name>``, or rewrite it when ``PINWHEEL_UPDATE_GOLDEN=1``.

    Raises:
        AssertionError: the text differs, or there is no such file.
    """
    path = FOLDER / name
    if os.environ.get("PINWHEEL_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    assert path.exists(), f"no tests/golden/{name}: run again with PINWHEEL_UPDATE_GOLDEN=1"
    assert text == path.read_bytes().decode(), f"tests/golden/{name} differs: if rightly, PINWHEEL_UPDATE_GOLDEN=1"
