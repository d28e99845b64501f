"""Starting the driver through the Spark provider's connection, as a process that outlives Airflow."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

from pinwheel.core import atomic
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import SuperviseSettings

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "spark_jobs" / "stream_engagement.py"
KEPT_LOGS = 20
# spark-submit copies each jar, and Spark searches it for classes: both cost start-up time. The stream reads Kafka with
# Spark and commits with delta-rs: of the jars that Delta Lake brings, it needs none (Jackson's is for Delta's kernel).
NOT_NEEDED = ("delta-", "unitycatalog-", "jackson-datatype-jdk8-")
NOT_INHERITED = ("AIRFLOW_", "_AIRFLOW_", "PINWHEEL_AIRFLOW_", "PINWHEEL_REPORT_", "PINWHEEL_ALERT_")
# Two cores: parallel collectors cost more threads than they save time, and the second compiler a third of the CPU of
# each start, for code that only carries bytes from Kafka to Python.
JVM_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class DetachedSparkSubmit(SparkSubmitHook):  # type: ignore[misc]
    """The provider's hook, but the process is left to itself: the hook's own ``submit`` waits for its end."""

    def launch(self, application: Path, log_path: Path, env: dict[str, str]) -> int:
        """Start spark-submit in a session of its own; returns its process id, also that of its process group."""
        command = self._build_spark_submit_command(str(application))
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, start_new_session=True
            )
        return process.pid


def launch_driver(settings: SuperviseSettings) -> int:
    """Start the stream's driver on the master that the Airflow connection names.

    Raises:
        MissingPartError: the jars are not there.
    """
    hook = DetachedSparkSubmit(
        conn_id=settings.spark_conn_id,
        name="pinwheel-stream-engagement",
        jars=",".join(str(jar) for jar in _jars(settings.spark_jars_dir)),
        driver_class_path=_store_classes(settings),
        driver_memory=settings.driver_memory,
        conf={
            "spark.driver.extraJavaOptions": JVM_OPTIONS,
            "spark.driver.host": os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"),
            "spark.log.level": "WARN",  # dozens of lines at each start say nothing about the stream
            "spark.ui.enabled": "false",  # it has no login
            **_store_options(settings),
        },
    )
    return hook.launch(APPLICATION, _new_log(settings.stream_dir), _environment())


def _jars(folder: Path) -> list[Path]:
    jars = [jar for jar in sorted(folder.glob("*.jar")) if not jar.name.startswith(NOT_NEEDED)]
    if not jars:
        raise MissingPartError(f"no jars in PINWHEEL_SPARK_JARS_DIR={folder}; `make run` fetches them")
    return jars


def _in_store(settings: SuperviseSettings) -> bool:
    return settings.checkpoint_uri.startswith("s3a://")


def _store_classes(settings: SuperviseSettings) -> str | None:
    """For the driver alone: the query keeps no state, so no executor opens the checkpoint."""
    if not _in_store(settings):
        return None
    folder = settings.spark_s3_jars_dir
    if not any(folder.glob("hadoop-aws-*.jar")):
        raise MissingPartError(
            f"no hadoop-aws in PINWHEEL_SPARK_S3_JARS_DIR={folder}, which PINWHEEL_CHECKPOINT_URI="
            f"{settings.checkpoint_uri} needs; `pinwheel tools --servers` fetches it"
        )
    return f"{folder}/*"


def _store_options(settings: SuperviseSettings) -> dict[str, str]:
    """Where the store is. The login is found by Spark in ``AWS_*`` itself: nothing secret is named here."""
    if not _in_store(settings):
        return {}
    options = {"spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_REGION", "us-east-1")}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:  # a store that is not Amazon's has its buckets in the path, as delta-rs asks for them
        options |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return options


def _environment() -> dict[str, str]:
    """Airflow's environment with the stream's own database user, and nobody else's secrets: least rights."""
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH", "")]))
    for name in ("USER", "PASSWORD"):
        value = env.pop(f"PINWHEEL_STREAM_MEMSQL_{name}", None)
        if value is not None:
            env[f"PINWHEEL_MEMSQL_{name}"] = value
    return {k: v for k, v in env.items() if not k.startswith(NOT_INHERITED)}


def _new_log(folder: Path) -> Path:
    """A log file for this start, ``driver.log`` pointing at it; old ones are removed."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for old in sorted(logs.glob("driver-*.log"))[: -KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    path = logs / f"driver-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    path.touch()
    with atomic.replacing(folder / "driver.log") as link:
        link.symlink_to(path.resolve())
    return path
