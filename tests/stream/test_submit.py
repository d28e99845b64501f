"""Starting the driver: its jars, options and secrets, in a process of its own."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pinwheel.core import connections
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import SuperviseSettings

KAFKA_JARS = {
    "commons-pool2-2.13.1.jar",
    "kafka-clients-3.9.2.jar",
    "spark-sql-kafka-0-10_2.13-4.2.0.jar",
    "spark-token-provider-kafka-0-10_2.13-4.2.0.jar",
}
DELTA_JARS = {
    "delta-kernel-api-4.4.0.jar",
    "delta-spark_4.2_2.13-4.4.0.jar",
    "delta-storage-4.4.0.jar",
    "jackson-datatype-jdk8-2.21.2.jar",
    "unitycatalog-client-0.6.0.jar",
}
SPARK_SUBMIT = """#!/bin/sh
cd "$(dirname "$0")"
env -0 >environment
printf '%s\\n' "$@" >arguments.new
echo "the driver's output"
ps -o sid= -p $$ >session
mv arguments.new arguments
"""
ENVIRONMENT = {
    "PINWHEEL_MEMSQL_USER": "pinwheel_merge",
    "PINWHEEL_MEMSQL_PASSWORD": "hush-merge",
    "PINWHEEL_STREAM_MEMSQL_USER": "pinwheel_stream",
    "PINWHEEL_STREAM_MEMSQL_PASSWORD": "hush-stream",
    "PINWHEEL_REPORT_MEMSQL_USER": "pinwheel_report",
    "PINWHEEL_REPORT_MEMSQL_PASSWORD": "hush-report",
    "PINWHEEL_ALERT_URLS": "json://hush-alerts",
    "PINWHEEL_AIRFLOW_DATABASE_URL": "postgresql://airflow:hush-airflow@host/airflow",
    "PINWHEEL_TOPIC": "engagement.events",
    "AIRFLOW__CORE__FERNET_KEY": "hush-fernet",
    "AIRFLOW_CONN_PINWHEEL_SPARK": json.dumps({"conn_type": "spark", "host": "local[2]"}),
    "_AIRFLOW_PROCESS_CONTEXT": "client",
}
CONNECTIONS = {
    "pinwheel_memsql": {"host": "db", "login": "merge", "password": "hush-merge-2"},
    "pinwheel_memsql_stream": {"login": "by-connection", "password": "hush-stream-2"},
    "pinwheel_pin_api": {"host": "https://pins", "password": "hush-pins"},
}


@pytest.fixture
def settings(tmp_path: Path) -> SuperviseSettings:
    jars = tmp_path / "jars"
    jars.mkdir()
    for name in KAFKA_JARS | DELTA_JARS:
        (jars / name).touch()
    return SuperviseSettings(spark_jars_dir=jars, stream_dir=tmp_path / "stream", driver_memory="3g")


@pytest.fixture
def folder(tmp_path: Path, airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `spark-submit` that only writes down how it was called."""
    program = tmp_path / "bin" / "spark-submit"
    program.parent.mkdir()
    program.write_text(SPARK_SUBMIT)
    program.chmod(0o755)
    for name in [name for name in os.environ if name.startswith("PINWHEEL_")]:  # a running stack's
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("AIRFLOW_HOME", str(airflow_home))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return program.parent


@pytest.fixture
def launch(settings: SuperviseSettings, folder: Path) -> Callable[[], list[str]]:
    """Launches; returns the arguments that spark-submit got."""
    from pinwheel.stream.submit import launch_driver  # imports Airflow, which makes a folder at AIRFLOW_HOME

    def launched() -> list[str]:
        pid = launch_driver(settings)
        with suppress(psutil.NoSuchProcess):  # it has ended and was reaped already
            psutil.Process(pid).wait()
        assert int((folder / "session").read_text()) == pid, "Airflow's end would end it"
        return (folder / "arguments").read_text().splitlines()

    return launched


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def environment(folder: Path) -> dict[str, str]:
    pairs = (folder / "environment").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def test_the_jars_are_kafka_s_and_not_delta_s(launch: Callable[[], list[str]]) -> None:
    assert {Path(jar).name for jar in option(launch(), "--jars").split(",")} == KAFKA_JARS


def test_a_jar_that_somebody_added_is_taken_along(launch: Callable[[], list[str]], settings: SuperviseSettings) -> None:
    (settings.spark_jars_dir / "hadoop-aws-3.5.0.jar").touch()
    assert "hadoop-aws-3.5.0.jar" in option(launch(), "--jars")


def test_it_goes_where_the_connection_says_with_the_settings(launch: Callable[[], list[str]]) -> None:
    arguments = launch()
    assert option(arguments, "--master") == "local[2]"
    assert option(arguments, "--driver-memory") == "3g"
    assert Path(arguments[-1]).name == "stream_engagement.py"
    assert Path(arguments[-1]).exists()


def test_the_driver_gets_what_connections_say_in_its_environment_alone(
    launch: Callable[[], list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the stream's own login, and none of the merge's; the driver itself asks for no connection."""
    for name in ("USER", "PASSWORD"):
        monkeypatch.delenv(f"PINWHEEL_STREAM_MEMSQL_{name}")
        monkeypatch.delenv(f"PINWHEEL_MEMSQL_{name}")
    for conn_id, fields in CONNECTIONS.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))
    connections.given.cache_clear()
    arguments, env = launch(), environment(folder)
    connections.given.cache_clear()
    assert (env["PINWHEEL_MEMSQL_HOST"], env["PINWHEEL_MEMSQL_USER"]) == ("db", "by-connection")
    assert (env["PINWHEEL_MEMSQL_PASSWORD"], env["PINWHEEL_PIN_API_TOKEN"]) == ("hush-stream-2", "hush-pins")
    assert env["PINWHEEL_CONNECTIONS"] == "none"
    assert "hush-merge-2" not in str(env)
    assert "hush" not in str(arguments)


def test_spark_is_quiet_and_has_no_page(launch: Callable[[], list[str]]) -> None:
    assert {"spark.log.level=WARN", "spark.ui.enabled=false"} <= set(launch())


def test_spark_s_ports_want_the_secret_of_the_cluster_which_is_in_the_environment(
    launch: Callable[[], list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = launch()
    assert {"spark.authenticate=true", "spark.driver.host=127.0.0.1"} <= {*alone}
    assert "spark.authenticate.secret" not in "".join(alone), "Spark makes one"
    monkeypatch.setenv("_SPARK_AUTH_SECRET", "hush-spark")
    assert "spark.authenticate.secret=see _SPARK_AUTH_SECRET" in launch()
    assert environment(folder)["_SPARK_AUTH_SECRET"] == "hush-spark"


def test_the_driver_gets_its_own_database_user_and_nobody_else_s_secret(
    launch: Callable[[], list[str]], folder: Path
) -> None:
    launch()
    found = environment(folder)
    assert found["PINWHEEL_MEMSQL_USER"] == "pinwheel_stream"
    assert found["PINWHEEL_MEMSQL_PASSWORD"] == "hush-stream"
    assert {value for value in found.values() if "hush-" in value} == {"hush-stream"}
    assert [name for name in found if name.startswith(("AIRFLOW", "_AIRFLOW", "PINWHEEL_REPORT_"))] == []


def test_the_driver_gets_the_settings_that_it_needs(launch: Callable[[], list[str]], folder: Path) -> None:
    launch()
    found = environment(folder)
    assert found["PINWHEEL_TOPIC"] == "engagement.events"
    assert (Path(found["PYTHONPATH"].split(os.pathsep)[0]) / "pinwheel").is_dir()


def test_without_a_user_of_its_own_the_stream_has_the_only_one(
    launch: Callable[[], list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "PASSWORD"):
        monkeypatch.delenv(f"PINWHEEL_STREAM_MEMSQL_{name}")
    launch()
    assert environment(folder)["PINWHEEL_MEMSQL_USER"] == "pinwheel_merge"


def test_no_secret_is_on_the_command_line(launch: Callable[[], list[str]]) -> None:
    assert "hush-" not in "".join(launch())


def test_a_local_checkpoint_needs_nothing_of_the_store(launch: Callable[[], list[str]]) -> None:
    arguments = launch()
    assert "--driver-class-path" not in arguments
    assert [word for word in arguments if "s3a" in word] == []


def test_a_checkpoint_in_a_store_is_told_where_it_is_and_not_who_we_are(
    settings: SuperviseSettings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pinwheel.stream.submit import launch_driver

    for name, value in {"ACCESS_KEY_ID": "hush", "SECRET_ACCESS_KEY": "hush", "ENDPOINT_URL": "http://s3:9000"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    in_store = {"checkpoint_uri": "s3a://bucket/checkpoints", "spark_s3_jars_dir": tmp_path}
    there = settings.model_copy(update=in_store)
    with pytest.raises(MissingPartError, match=f"PINWHEEL_SPARK_S3_JARS_DIR={tmp_path}.*pinwheel tools --servers"):
        launch_driver(there)

    (tmp_path / "hadoop-aws-3.5.0.jar").touch()
    os.waitpid(launch_driver(there), 0)
    arguments = (folder / "arguments").read_text().splitlines()
    assert option(arguments, "--driver-class-path") == f"{tmp_path}/*"
    assert {"spark.hadoop.fs.s3a.endpoint=http://s3:9000", "spark.hadoop.fs.s3a.path.style.access=true"} <= {*arguments}
    assert "hush" not in "".join(arguments)
    assert environment(folder)["AWS_SECRET_ACCESS_KEY"] == "hush", "the driver finds it there"


@pytest.mark.parametrize("kept", [set(), {"delta-storage-4.4.0.jar"}], ids=["none", "Delta's only"])
def test_without_jars_the_message_names_the_setting(
    launch: Callable[[], list[str]], settings: SuperviseSettings, folder: Path, kept: set[str]
) -> None:
    for jar in settings.spark_jars_dir.iterdir():
        if jar.name not in kept:
            jar.unlink()
    with pytest.raises(MissingPartError, match=f"PINWHEEL_SPARK_JARS_DIR={settings.spark_jars_dir}"):
        launch()
    assert not (folder / "arguments").exists()


def test_the_newest_log_is_pointed_at_and_old_ones_go(
    launch: Callable[[], list[str]], settings: SuperviseSettings
) -> None:
    logs = settings.stream_dir / "logs"
    logs.mkdir(parents=True)
    for number in range(30):
        (logs / f"driver-202001{number + 1:02}T000000.log").touch()
    launch()
    kept = sorted(path.name for path in logs.iterdir())
    assert len(kept) == 20
    assert kept[0] == "driver-20200112T000000.log"
    newest = settings.stream_dir / "driver.log"
    assert newest.resolve().name == kept[-1]
    assert kept[-1] > f"driver-{time.strftime('%Y')}"
    assert newest.read_text() == "the driver's output\n"
