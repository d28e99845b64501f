"""Spark for tests that start executors in processes of their own."""

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark import SparkContext

from pinwheel.clients import spark
from pinwheel.core.settings import LakeJobSettings, MergeSettings
from pinwheel.install import tools
from pinwheel.local.settings import LocalSettings

CLUSTER = {
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",  # two JVMs that live a minute or two
    spark.AUTH: "of the cluster",
}
SMALL = {  # for lakes of a dozen files on one core: a quarter of the time
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
}
SUBMIT = """
import sys
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from pinwheel.clients.spark import lake_job
from pinwheel.core.settings import LakeJobSettings, load
settings, (job, *arguments) = load(LakeJobSettings), sys.argv[1:]
SparkSubmitOperator(task_id="job", conn_id=settings.spark_conn_id, **lake_job(job, settings, arguments)).execute({})
"""


@contextmanager
def cluster(job: str, settings: LakeJobSettings, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sessions of this process get one executor of its own, and the job's jars and options."""
    patch.setenv("SPARK_HOME", str(spark_in(folder)))
    for name, value in CLUSTER.items():
        patch.setenv(name, value)
    patch.setenv("PYTHONPATH", spark.python_path())
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    submitted = spark.lake_job(job, settings)
    told = ["--master", "local-cluster[1,2,1024]", "--jars", submitted["jars"]]
    told += [word for name, value in submitted["conf"].items() for word in ("--conf", f"{name}={value}")]
    patch.setenv("PYSPARK_SUBMIT_ARGS", shlex.join([*told, "pyspark-shell"]))
    yield
    context = SparkContext._active_spark_context
    if context is not None:
        gateway: Any = context._gateway
        context.stop()
        gateway.shutdown()  # or the JVM lives as long as this process
        gateway.proc.stdin.close()
        gateway.proc.wait(30)
        SparkContext._gateway = SparkContext._jvm = None


def spark_in(folder: Path) -> Path:
    """Spark, with its executors' folders in ours: a `local-cluster` puts them into SPARK_HOME."""
    home = folder / "spark"
    home.mkdir()
    for part in tools.spark_home().iterdir():
        (home / part.name).symlink_to(part)
    return home


def environment_of_airflow(settings: MergeSettings, folder: Path, airflow_home: Path) -> dict[str, str]:
    """The environment of an Airflow task that submits a job to a cluster of one executor."""
    tools_dir = LocalSettings().tools_dir
    return (
        os.environ
        | CLUSTER
        | {
            "AIRFLOW_HOME": str(airflow_home),
            "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": "local-cluster[1,2,1024]"}),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PINWHEEL_LAKE_URI": settings.lake_uri,
            "PINWHEEL_MEMSQL_DATABASE": settings.memsql_database,
            "PINWHEEL_MEMSQL_PASSWORD": settings.memsql_password.get_secret_value(),
            "PINWHEEL_MEMSQL_PORT": str(settings.memsql_port),
            "PINWHEEL_MEMSQL_USER": settings.memsql_user,
            "PINWHEEL_SPARK_JARS_DIR": str(tools_dir / "jars" / "spark"),
            "PINWHEEL_SPARK_S3_JARS_DIR": str(tools_dir / "jars" / "spark-s3"),
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": str(spark.ROOT),
            "SPARK_HOME": str(spark_in(folder)),
        }
    )
