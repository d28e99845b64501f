"""Start the driver through the Spark provider's connection, as a process that outlives Airflow."""

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
# spark-submit copies each jar and Spark searches it for classes, which slows the start. The stream reads Kafka with
# Spark but commits with delta-rs, so it needs none of Delta Lake's jars (Jackson's is for Delta's kernel).
NOT_NEEDED = ("delta-", "unitycatalog-", "jackson-datatype-jdk8-")
NOT_INHERITED = ("AIRFLOW_", "_AIRFLOW_", "PINWHEEL_AIRFLOW_", "PINWHEEL_REPORT_", "PINWHEEL_ALERT_")
# For two cores: a parallel collector costs more than it saves, and the second compiler takes a third of the CPU of
# each start, for code that only moves bytes from Kafka to Python.
JVM_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


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
    hook = DetachedSparkSubmit(
        conn_id=settings.spark_conn_id,
        name="pinwheel-stream-engagement",
        jars=",".join(str(jar) for jar in _jars(settings.spark_jars_dir)),
        driver_class_path=_store_classes(settings),
        driver_memory=settings.driver_memory,
        conf={
            "spark.driver.extraJavaOptions": JVM_OPTIONS,
            "spark.driver.host": os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"),
            "spark.log.level": "WARN",  # INFO adds dozens of lines per start and nothing about the stream
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
    """Class path of the driver only: the query is stateless, so no executor opens the checkpoint."""
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
    """The store's address. No secrets: Spark reads the credentials from ``AWS_*`` itself."""
    if not _in_store(settings):
        return {}
    options = {"spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_REGION", "us-east-1")}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:  # stores other than Amazon's use path-style buckets, as delta-rs does
        options |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return options


def _environment() -> dict[str, str]:
    """Airflow's environment with the stream's own database user, without the secrets of others (least privilege)."""
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH", "")]))
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
