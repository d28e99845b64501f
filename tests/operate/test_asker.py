"""The name of whoever triggered a run, as the tables have it."""

from types import SimpleNamespace
from typing import Any

import pytest

from pinwheel.operate.asker import asked_by


@pytest.mark.parametrize(
    ("user", "name"), [("ann", "ann"), (None, "somebody"), ("", "somebody"), ("a" * 300, "a" * 255)]
)
def test_a_run_has_a_name_behind_it_that_fits_its_column(user: str | None, name: str) -> None:
    context: Any = {"dag_run": SimpleNamespace(triggering_user_name=user)}
    assert asked_by(context) == name
