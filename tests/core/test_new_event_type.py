"""A new event type is an entry in the contract, a migration and example payloads, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.settings import MergeSettings
from spark_jobs.transforms.parse import RECORDS_SCHEMA
from tests.support import fifth_type, lakes
from tests.support.database import environment_of
from tests.support.letters import Steps, rows_of

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
    walk(str(tmp_path / "fifth"), **environment_of(settings))


def test_letters_that_waited_for_it_come_home(settings: MergeSettings, connection: Connection, tmp_path: Path) -> None:
    """Records of the type land as dead letters; then the contract gets it."""
    payload = fifth_type.PAYLOAD | {"ip": "8.8.8.8:443"}
    lake = lakes.make(tmp_path / "fifth")
    lakes.land(lake, as_landed(payload, payload, payload | {"channel": "fax"}, payload | {"event_type": "shave"}))
    reasons = {row["dead_reason"] for row in rows_of(f"{lake}/events")}
    assert reasons == {"unknown_type"}
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO pin_cache (pin_id, brand_id, category) VALUES (7, 70, 'art')")
    connection.commit()
    walk("--letters", str(tmp_path / "fifth"), **environment_of(settings))


def as_landed(*payloads: dict[str, Any]) -> list[Row]:
    """Payloads as rows of the lake, by the contract of today; the second one is a redelivery."""
    values = [json.dumps(payload).encode() for payload in payloads]
    columns = {"value": values, "value_bytes": [len(value) for value in values], "kafka_partition": [0] * len(values)}
    columns |= {"kafka_offset": range(len(values)), "kafka_timestamp": [fifth_type.NOON] * len(values)}
    steps = Steps()
    return list(steps.enrich(steps.parse(pa.table(columns, RECORDS_SCHEMA))).to_pylist())
