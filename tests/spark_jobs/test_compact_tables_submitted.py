"""The compaction's Spark job as the Dag submits it: on a cluster, on a lake in the store, asking the database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pinwheel.clients import spark
from pinwheel.core.settings import CompactSettings, MergeSettings
from pinwheel.lake.compaction import measure
from pinwheel.local.settings import LocalSettings
from tests.support.lakes import event, land
from tests.support.spark import spark_in
from tests.support.store import fetch

SUBMIT = """
from datetime import UTC, datetime
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from pinwheel.core.settings import CompactSettings, load
from pinwheel.lake.compaction_on_spark import submission
settings, cleaning = load(CompactSettings), datetime.now(UTC).replace(minute=0)
SparkSubmitOperator(task_id="compact", conn_id=settings.spark_conn_id, **submission(settings, cleaning)).execute({})
"""


@pytest.mark.usefixtures("starts_jvm")
@pytest.mark.parametrize("place", ["bucket"], indirect=True)
def test_it_compacts_and_cleans_up(settings: MergeSettings, tmp_path: Path, airflow_home: Path) -> None:
    folder = LocalSettings().tools_dir
    fetch(folder, "spark-s3")
    for n in range(5):
        land(settings.lake_uri, [event("repin", f"r{n}", 2 * n), event("login", f"l{n}", 2 * n + 1)])
    told = {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": "local-cluster[1,1,1024]"}),
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",  # two JVMs that live a minute
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PINWHEEL_COMPACT_CLOSED_FILES": "4",
        "PINWHEEL_LAKE_URI": settings.lake_uri,
        "PINWHEEL_MEMSQL_DATABASE": settings.memsql_database,
        "PINWHEEL_MEMSQL_PASSWORD": settings.memsql_password.get_secret_value(),
        "PINWHEEL_MEMSQL_PORT": str(settings.memsql_port),
        "PINWHEEL_MEMSQL_USER": settings.memsql_user,
        "PINWHEEL_SPARK_JARS_DIR": str(folder / "jars" / "spark"),
        "PINWHEEL_SPARK_S3_JARS_DIR": str(folder / "jars" / "spark-s3"),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(spark.ROOT),
        "SPARK_HOME": str(spark_in(tmp_path)),
    }

    done = subprocess.run([sys.executable, "-c", SUBMIT], env=os.environ | told, capture_output=True, text=True)

    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    table = DeltaTable(settings.events_uri)
    assert {p.event_type: p.files for p in measure(table, CompactSettings())} == {"login": 1, "repin": 1}
    assert "cluster event_date=2026-03-14 event_type=repin files=5->1" in said
    assert "vacuum dry_run=False kept_hours=168 files=0" in said
    assert settings.memsql_password.get_secret_value() not in said
