"""A new event type is an entry in the contract, a migration and example payloads, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from pinwheel.core.settings import MemsqlSettings, MergeSettings

ROOT = Path(__file__).resolve().parents[2]


def walk(*arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fifth_type", *arguments],
        cwd=ROOT,
        env={**os.environ, "GX_ANALYTICS_ENABLED": "false", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_parser_lake_rules_and_statement_follow_from_the_contract() -> None:
    walk()


def test_it_comes_through_to_the_reporting_table(settings: MergeSettings, tmp_path: Path) -> None:
    given = settings.model_dump(include=set(MemsqlSettings.model_fields), exclude_none=True)
    given["memsql_password"] = settings.memsql_password.get_secret_value()
    walk(str(tmp_path / "fifth"), **{f"PINWHEEL_{name.upper()}": str(value) for name, value in given.items()})
