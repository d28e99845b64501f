"""Arguments of spark-submit, for each of our jobs: jars, the store's address, options, the path of our code.

The Airflow connection ``PINWHEEL_SPARK_CONN_ID`` says where a job runs.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import LakeJobSettings, SparkSettings

ROOT = Path(__file__).resolve().parents[2]
# spark-submit copies each jar and Spark searches it for classes, which slows the start: a job gets only what it needs.
DELTA_JARS = ("delta-", "unitycatalog-", "jackson-datatype-jdk8-")  # Jackson's is for Delta's kernel
# For two cores: a parallel collector costs more than it saves, and the second compiler takes a third of the CPU of
# each start, for code that only moves bytes.
JVM_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


AUTH = "_SPARK_AUTH_SECRET"  # where Spark itself finds the secret of a standalone cluster
COMPACT_TABLES, REBUILD_TABLES = "compact_tables", "rebuild_tables"  # jobs on the lake, in spark_jobs/
SUBMITTED = ("application", "name", "jars", "conf", "env_vars", "application_args")  # what SparkSubmitOperator is given


def lake_job(name: str, settings: LakeJobSettings, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments of SparkSubmitOperator for a job that uses Delta for Spark. No secrets: Airflow's database keeps them.

    Args:
        name: of the job, ``COMPACT_TABLES`` or ``REBUILD_TABLES``.
        settings: the lake, and where the jars are.
        arguments: of the job.

    Raises:
        MissingPartError: the jars are not installed.
    """
    jars, conf = jars_of_delta(settings), options() | {"spark.driver.memory": settings.driver_memory}
    if settings.lake_uri.startswith("s3://"):  # for the executors too: they read and write the lake's files
        jars += jars_of_store(settings, f"PINWHEEL_LAKE_URI={settings.lake_uri}")
        conf |= store_options()
    return {
        "application": str(ROOT / "spark_jobs" / f"{name}.py"),
        "name": f"pinwheel-{name.replace('_', '-')}",
        "jars": ",".join(map(str, jars)),
        "conf": conf,
        "env_vars": {"PYTHONPATH": python_path()},
        "application_args": list(arguments),
    }


def jars_without_delta(settings: SparkSettings) -> list[Path]:
    """Kafka's, and those that somebody added.

    Raises:
        MissingPartError: there are none.
    """
    return _some(settings, [jar for jar in _jars(settings.spark_jars_dir) if not jar.name.startswith(DELTA_JARS)])


def jars_of_delta(settings: SparkSettings) -> list[Path]:
    """Delta Lake's.

    Raises:
        MissingPartError: there are none.
    """
    return _some(settings, [jar for jar in _jars(settings.spark_jars_dir) if jar.name.startswith(DELTA_JARS)])


def jars_of_store(settings: SparkSettings, needed_by: str) -> list[Path]:
    """Hadoop's S3A.

    Raises:
        MissingPartError: there are none.
    """
    found = _jars(settings.spark_s3_jars_dir)
    if not any(jar.name.startswith("hadoop-aws-") for jar in found):
        raise MissingPartError(
            f"no hadoop-aws in PINWHEEL_SPARK_S3_JARS_DIR={settings.spark_s3_jars_dir}, which {needed_by} needs; "
            "`pinwheel tools --servers` fetches it"
        )
    return found


def _jars(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jar"))


def _some(settings: SparkSettings, jars: list[Path]) -> list[Path]:
    if not jars:
        raise MissingPartError(f"no jars in PINWHEEL_SPARK_JARS_DIR={settings.spark_jars_dir}; `make run` fetches them")
    return jars


def options() -> dict[str, str]:
    """Options of every driver. No secrets: Spark reads the cluster's from the environment, or makes its own."""
    # Spark asks for this option unless it makes the secret itself, and takes the environment's all the same.
    named = {"spark.authenticate.secret": f"see {AUTH}"} if os.environ.get(AUTH) else {}
    return named | {
        "spark.authenticate": "true",
        "spark.driver.extraJavaOptions": JVM_OPTIONS,
        "spark.driver.host": os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"),
        "spark.log.level": "WARN",  # INFO adds dozens of lines per start and nothing about our code
        "spark.ui.enabled": "false",  # it has no login
        "spark.ui.showConsoleProgress": "false",  # a log is no terminal
    }


def store_options() -> dict[str, str]:
    """The store's address. No secrets: Spark reads the credentials from ``AWS_*`` itself."""
    found = {"spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_REGION", "us-east-1")}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:  # stores other than Amazon's use path-style buckets, as delta-rs does
        found |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return found


def python_path() -> str:
    """``PYTHONPATH`` with our code first: spark-submit puts only the job's own folder there."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
