"""Submitting the compaction as a Spark job, for a lake that one process can't compact."""

from datetime import datetime
from typing import Any

from pinwheel.clients import spark
from pinwheel.core.settings import CompactSettings
from pinwheel.lake.compaction import is_cleaning

APPLICATION = spark.ROOT / "spark_jobs" / "compact_tables.py"
CLEAN = "--clean"  # argument of the job: also remove old files and log entries


def submission(settings: CompactSettings, now: datetime) -> dict[str, Any]:
    """Arguments of SparkSubmitOperator. No secrets: they go through Airflow's database.

    Args:
        settings: the lake, and where the jars are.
        now: decides whether the job also cleans up; by its own clock, a job that waits for a core would not.

    Raises:
        MissingPartError: the jars are not installed.
    """
    jars, options = spark.jars_of_delta(settings), spark.options() | {"spark.driver.memory": settings.driver_memory}
    if settings.lake_uri.startswith("s3://"):  # for the executors too: they read and write the lake's files
        jars += spark.jars_of_store(settings, f"PINWHEEL_LAKE_URI={settings.lake_uri}")
        options |= spark.store_options()
    return {
        "application": str(APPLICATION),
        "jars": ",".join(map(str, jars)),
        "conf": options,
        "env_vars": {"PYTHONPATH": spark.python_path()},
        "application_args": [CLEAN] if is_cleaning(now) else [],
    }
