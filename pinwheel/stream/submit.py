"""Start the driver through the Spark provider's connection, as a process that outlives Airflow."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

from pinwheel.clients import spark
from pinwheel.core import atomic, connections
from pinwheel.core.settings import SuperviseSettings

APPLICATION = spark.ROOT / "spark_jobs" / "stream_engagement.py"
KEPT_LOGS = 20
NOT_INHERITED = (
    "AIRFLOW_",
    "_AIRFLOW_",
    "PINWHEEL_AIRFLOW_",
    "PINWHEEL_REPORT_",
    "PINWHEEL_ANALYST_",
    "PINWHEEL_ALERT_",
)


class DetachedSparkSubmit(SparkSubmitHook):
    """The provider's hook without its wait: ``submit`` blocks until the process ends."""

    def launch(self, application: Path, log_path: Path, env: dict[str, str]) -> int:
        """Start spark-submit in a new session; returns its process id, which is also its process group id."""
        command = self._build_spark_submit_command(str(application))
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, start_new_session=True
            )
        return process.pid


def launch_driver(settings: SuperviseSettings) -> int:
    """Start the stream's driver on the master of the Airflow connection; returns its process id.

    Raises:
        MissingPartError: the jars are not installed.
    """
    in_store = settings.checkpoint_uri.startswith("s3a://")
    hook = DetachedSparkSubmit(
        conn_id=settings.spark_conn_id,
        name="pinwheel-stream-engagement",
        # It reads Kafka with Spark but commits with delta-rs.
        jars=",".join(map(str, spark.jars_without_delta(settings))),
        driver_class_path=_store_classes(settings) if in_store else None,
        driver_memory=settings.driver_memory,
        conf={**spark.options(), **(spark.store_options() if in_store else {})},
    )
    return hook.launch(APPLICATION, _new_log(settings.stream_dir), _environment())


def _store_classes(settings: SuperviseSettings) -> str:
    """Class path of the driver only: the query is stateless, so no executor opens the checkpoint."""
    spark.jars_of_store(settings, f"PINWHEEL_CHECKPOINT_URI={settings.checkpoint_uri}")
    return f"{settings.spark_s3_jars_dir}/*"


def _environment() -> dict[str, str]:
    """Airflow's environment with the stream's own database user, without the secrets of others (least privilege)."""
    env = {**os.environ, **connections.environment(connections.OF_DRIVER)}  # it can't read connections
    env["PYTHONPATH"] = spark.python_path()
    for name in ("USER", "PASSWORD"):
        value = env.pop(f"PINWHEEL_STREAM_MEMSQL_{name}", None)
        if value is not None:
            env[f"PINWHEEL_MEMSQL_{name}"] = value
    return {k: v for k, v in env.items() if not k.startswith(NOT_INHERITED)}


def _new_log(folder: Path) -> Path:
    """Create this start's log file, point ``driver.log`` at it and remove old ones."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for old in sorted(logs.glob("driver-*.log"))[: -KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    path = logs / f"driver-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    path.touch()
    with atomic.replacing(folder / "driver.log") as link:
        link.symlink_to(path.resolve())
    return path
