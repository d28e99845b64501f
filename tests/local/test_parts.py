"""The stack's parts: the addresses they listen on, the settings they get, and who may read the secrets."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pinwheel.core.errors import SettingError
from pinwheel.core.settings import load
from pinwheel.install import maven
from pinwheel.local import airflow, credentials, environment, kafka, mariadb
from pinwheel.local.processes import Owned
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import FIRST, Stack

SECRET_NAMES = ("PASSWORD", "SECRET", "FERNET")


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return load(LocalSettings, state_dir=tmp_path, kafka_port=40001, memsql_port=40002, airflow_port=40003)


@pytest.fixture
def secrets(settings: LocalSettings) -> credentials.Credentials:
    return credentials.load(settings.stack_dir)


def test_secrets_are_made_once_and_readable_by_their_owner_only(settings: LocalSettings) -> None:
    first = credentials.load(settings.stack_dir)
    assert credentials.load(settings.stack_dir) == first
    assert stat.S_IMODE((settings.stack_dir / "secrets.json").stat().st_mode) == 0o600
    assert len(set(vars(first).values())) == len(vars(first))


def test_an_older_stack_keeps_its_secrets_and_gets_those_that_it_lacks(settings: LocalSettings) -> None:
    made = vars(credentials.load(settings.stack_dir))
    kept = {name: value for name, value in made.items() if not name.startswith("kafka_")}
    (settings.stack_dir / "secrets.json").write_text(json.dumps(kept))
    now = vars(credentials.load(settings.stack_dir))
    assert now | kept == now
    assert vars(credentials.load(settings.stack_dir)) == now
    assert now["kafka_client"] not in ("", made["kafka_client"])


def test_no_cluster_id_looks_like_an_option(tmp_path: Path) -> None:
    ids = [credentials.load(tmp_path / str(number)).kafka_cluster for number in range(300)]
    assert [cluster for cluster in ids if cluster.startswith("-") or len(cluster) != 22] == []


def test_two_stacks_have_different_secrets(tmp_path: Path) -> None:
    assert credentials.load(tmp_path / "a").memsql_admin != credentials.load(tmp_path / "b").memsql_admin


def test_kafka_listens_on_loopback_only(
    settings: LocalSettings, secrets: credentials.Credentials, tmp_path: Path
) -> None:
    text = kafka.properties_text(settings, secrets, tmp_path)
    (listeners,) = [line for line in text.splitlines() if line.startswith("listeners=")]
    assert listeners == "listeners=CLIENTS://127.0.0.1:40001,CONTROLLER://127.0.0.1:19093"
    assert "0.0.0.0" not in text


def test_mariadb_listens_on_loopback_only(settings: LocalSettings, tmp_path: Path) -> None:
    command = mariadb.server_command(settings, tmp_path)
    assert "--bind-address=127.0.0.1" in command
    assert "--port=40002" in command
    assert command[1] == "--no-defaults"  # ignored anywhere else


def test_airflow_is_told_its_port_in_all_three_places(
    settings: LocalSettings, secrets: credentials.Credentials
) -> None:
    told = airflow.environment(settings, secrets)
    assert told["AIRFLOW__API__PORT"] == "40003"
    assert told["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:40003"
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:40003/execution/"


def test_people_bound_to_brands_have_a_login_with_the_lowest_role(
    settings: LocalSettings, secrets: credentials.Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINWHEEL_BRAND_USERS", '{"bob": [4], "alice": [17, 18]}')
    users = airflow.environment(settings, secrets)["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
    assert users == "admin:admin,alice:viewer,bob:viewer"
    logins = airflow.logins(secrets)
    assert logins["admin"] == secrets.airflow_admin
    assert (set(logins), len(set(logins.values()))) == ({"admin", "alice", "bob"}, 3)
    assert airflow.logins(secrets) == logins, "a restart changes no password"


@pytest.mark.parametrize("name", ["admin", "eve:admin", "eve:viewer,mallory", "", "eve\n", "évé"])
def test_a_bound_person_s_name_is_no_role(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PINWHEEL_BRAND_USERS", json.dumps({name: [1]}))
    with pytest.raises(SettingError, match="PINWHEEL_BRAND_USERS"):
        airflow.bound()


def test_what_needs_no_secret_gets_none(settings: LocalSettings) -> None:
    assert [name for name in environment.shared(settings) if any(part in name for part in SECRET_NAMES)] == []


def test_a_program_of_airflow_has_the_secrets_that_it_needs(
    settings: LocalSettings, secrets: credentials.Credentials
) -> None:
    """Neither given nor inherited: the person's shell, or a test, may have all of them."""
    tasks, less = environment.for_airflow(settings, secrets), environment.without_tasks(settings, secrets)
    programs = {program.name: program for program in airflow.part(settings, tasks, less).programs}
    pipeline = {name: value for name, value in vars(secrets).items() if not name.startswith("airflow_")}

    def held(name: str) -> set[str]:
        inherited = {k: v for k, v in tasks.items() if k not in programs[name].withheld}
        return {n for n, value in pipeline.items() if value in {**inherited, **programs[name].environment}.values()}

    assert held(airflow.API_SERVER) == {"memsql_report", "memsql_analyst"}
    assert held(airflow.DAG_PROCESSOR) == held(airflow.TRIGGERER) == set()
    of_tasks = {"memsql_merge", "memsql_stream", "memsql_report", "kafka_client", "pin_api_token", "erasure_key"}
    assert held(airflow.SCHEDULER) == of_tasks
    assert {"PINWHEEL_ALERT_URLS", "PINWHEEL_SMTP_PASSWORD"} <= programs[airflow.API_SERVER].withheld


def test_paths_are_absolute_wherever_a_process_runs(settings: LocalSettings) -> None:
    told = environment.shared(settings)
    paths = [name for name in told if name.endswith(("_PATH", "_DIR", "_URI")) and name != "PINWHEEL_STATE_DIR"]
    assert len(paths) >= 6
    assert [name for name in paths if not told[name].startswith("/")] == []


@pytest.mark.parametrize("name", ["spark", "kafka", "mariadb"])
def test_locks_pin_hashes_and_name_no_repository(name: str) -> None:
    assert maven.locked(name)
    assert all(len(jar.sha256) == 64 for jar in maven.locked(name))
    assert "://" not in maven.lock_path(name).read_text()


@pytest.mark.parametrize("name", ["web", "js"])
def test_a_lock_of_npm_names_no_registry(name: str) -> None:
    lock = Path(maven.__file__).parent / name / "package-lock.json"
    assert '"resolved"' not in lock.read_text()


def test_a_jar_with_another_hash_is_refused(tmp_path: Path) -> None:
    from pinwheel.core.errors import MissingPartError

    path = tmp_path / "x.jar"
    path.write_bytes(b"other")
    with pytest.raises(MissingPartError, match="the lock says"):
        maven.check(maven.Jar("g", "x", "1", "0" * 64), path)


@pytest.mark.parametrize("part", FIRST)
def test_a_server_inherits_no_secret_of_the_pipeline(
    part: str, settings: LocalSettings, secrets: credentials.Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that works with the pipeline has them; the Pin API alone has its token."""
    for name, value in environment.for_airflow(settings, secrets).items():
        monkeypatch.setenv(name, value)
    (program,) = Stack(settings).parts[part].programs
    owned = Owned(part, settings.stack_dir)
    owned.start(replace(program, command=("sleep", "300")), settings.stack_dir)
    try:
        leader = owned.leader()
        assert leader is not None
        had = {name for name, value in vars(secrets).items() if value in " ".join(leader.environ().values())}
    finally:
        owned.stop(5)
    assert had == ({"pin_api_token"} if part == "pin_api" else set())
