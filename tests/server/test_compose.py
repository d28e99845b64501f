"""docker-compose.yml, as far as it can be checked without an engine: its form, its settings, its secrets, its image."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from pydantic_settings import BaseSettings

from pinwheel.clients import spark
from pinwheel.clients.spark import AUTH
from pinwheel.local import credentials, environment
from pinwheel.local.settings import LocalSettings
from pinwheel.operate.airflow_login import ADMIN
from tests.support.settings_classes import settings_classes

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
IMAGE = "pinwheel:"
JOBS = {"prepare", "prepare-demo", "airflow-init"}
AIRFLOW = {name for name in SERVICES if name.startswith("airflow-")}
SERVERS = {name: service for name, service in SERVICES.items() if name not in JOBS}
SECRET = re.compile(r"PASSWORD$|SECRET|TOKEN|FERNET|ACCESS_KEY|LICENSE|SQL_ALCHEMY_CONN|DATABASE_URL")
OUTSIDE_THE_CLASSES = {  # read by pinwheel.core.connections, the reports and pinwheel.operate.airflow_cleanup
    "PINWHEEL_CONNECTIONS",
    "PINWHEEL_STREAM_MEMSQL_USER",
    "PINWHEEL_REPORT_MEMSQL_USER",
    "PINWHEEL_ANALYST_MEMSQL_USER",
    "PINWHEEL_AIRFLOW_DATABASE_URL",
    "PINWHEEL_REPORT_CRON",
}
KAFKA_LOGIN = ("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD")  # of the embedded broker alone
WITH_STORE = ("airflow-scheduler", "airflow-api-server")
OF_THE_PIPELINE = re.compile(r"^(PINWHEEL|AWS)_.*(PASSWORD|TOKEN|_KEY|ACCESS_KEY_ID|ALERT_URLS|DATABASE_URL)$")
OPTIONAL_SECRETS = {"PINWHEEL_SMTP_PASSWORD", "PINWHEEL_METRICS_TOKEN"}  # of a server that is optional
NO_SECRET = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()

each_service = pytest.mark.parametrize("name", SERVICES)
each_server = pytest.mark.parametrize("name", SERVERS)
each_of_ours = pytest.mark.parametrize("name", [n for n, s in SERVICES.items() if s["image"].startswith(IMAGE)])


def environment_of(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}


def texts(value: Any) -> Iterator[str]:
    """Every text in the file, without its comments."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from (str(key), *texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    else:
        yield str(value)


def fields() -> dict[str, Any]:
    """Every setting by its variable, with its default."""
    found = [(name, field.default) for cls in settings_classes() for name, field in cls.model_fields.items()]
    return {f"PINWHEEL_{name.upper()}": default for name, default in found}


def test_it_is_what_the_compose_specification_says() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    errors = [f"{list(e.path)}: {e.message}" for e in validator_for(schema)(schema).iter_errors(FILE)]
    assert errors == []


def test_the_schema_finds_a_fault() -> None:
    """Or the test above would prove nothing."""
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    wrong = FILE | {"services": {"kafka": SERVICES["kafka"] | {"depends_on": {"s3": {"condition": "well"}}}}}
    assert list(validator_for(schema)(schema).iter_errors(wrong))


def test_retention_and_erasure_can_be_set_with_the_settings_own_defaults() -> None:
    passed = environment_of("airflow-scheduler")
    for name, default in fields().items():
        if name.startswith("PINWHEEL_RETAIN_") or name == "PINWHEEL_ERASURE_ALONE":
            assert passed[name] == f"${{{name.removeprefix('PINWHEEL_')}:-{str(default).lower()}}}"


@each_service
def test_every_setting_that_is_passed_exists(name: str) -> None:
    passed = {key for key in environment_of(name) if key.startswith("PINWHEEL_")}
    assert passed - set(fields()) - OUTSIDE_THE_CLASSES == set()


@pytest.mark.parametrize("name", sorted(AIRFLOW))
def test_airflow_is_told_what_the_embedded_one_is_told(name: str, tmp_path: Path) -> None:
    """All except the embedded stack's own folders and ports."""
    settings = LocalSettings(state_dir=tmp_path)
    secrets = credentials.load(tmp_path)
    less = environment.without_tasks(settings, secrets)
    others = less.get(name, less["airflow-dag-processor"])
    told = environment.for_airflow(settings, secrets) if name == "airflow-scheduler" else others
    words = ("STATE_DIR", "STACK", "PIN_API_PORT", "CATALOGUE_SEED", *KAFKA_LOGIN)
    own = {f"PINWHEEL_{word}" for word in words}
    by_image = {key for key in told if f" {key}=" in DOCKERFILE}
    of_this_machine = {"PYTHONDONTWRITEBYTECODE", "SPT_NOENV"}
    assert set(told) - own - by_image - of_this_machine - set(environment_of(name)) == set()
    assert by_image == {"PATH", "PYTHONPATH", "PYSPARK_PYTHON", "SPARK_HOME"}


@pytest.mark.parametrize("name", sorted(AIRFLOW))
def test_no_default_of_the_embedded_stack_is_left(name: str) -> None:
    """A setting that is not passed must not mean this very container, or a folder that it does not have."""
    needed = {f"PINWHEEL_{n.upper()}" for cls in pipeline_classes() for n in cls.model_fields}
    local = {key for key, default in fields().items() if re.search(r"127\.0\.0\.1|^\.pinwheel|13306", str(default))}
    assert (needed & local) - set(environment_of(name)) == set()
    assert len(needed & local) > 8


def pipeline_classes() -> set[type[BaseSettings]]:
    module = import_module("pinwheel.core.settings")
    return {cls for cls in settings_classes() if cls.__module__ == module.__name__}


@each_of_ours
def test_what_is_passed_is_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings classes take it: ports are numbers, engines are known."""
    for key, value in environment_of(name).items():
        monkeypatch.setenv(key, interpolated(value))
    for cls in settings_classes():
        cls()


def interpolated(text: str) -> str:
    """As the engine does it, with a value for each secret."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return re.sub(r"\$\{\w+:\?[^}]*\}", "given", text).replace("$$", "$")


def test_paths_in_the_image_are_where_its_scripts_put_things() -> None:
    settings = LocalSettings(state_dir=Path("/opt/pinwheel/.pinwheel"))
    told = environment_of("airflow-scheduler")
    assert told["PINWHEEL_SPARK_JARS_DIR"] == str(settings.tools_dir / "jars" / "spark")
    assert told["PINWHEEL_SPARK_S3_JARS_DIR"] == str(settings.tools_dir / "jars" / "spark-s3")
    assert environment_of("s3")["PINWHEEL_S3_JARS_DIR"] == str(settings.tools_dir / "jars" / "s3")
    for version in ("IPV4", "IPV6"):
        default = fields()[f"PINWHEEL_GEO_{version}_PATH"]
        assert told[f"PINWHEEL_GEO_{version}_PATH"] == f"/opt/pinwheel/{default}"


@each_service
def test_secrets_come_from_the_environment_alone(name: str) -> None:
    secrets = {key: value for key, value in environment_of(name).items() if SECRET.search(key)}
    for key in secrets.keys() & OPTIONAL_SECRETS:
        assert re.fullmatch(r"\$\{\w+:-\}", secrets[key]), key
    for key in secrets.keys() - NO_SECRET - OPTIONAL_SECRETS:
        assert re.search(r"\$\{\w+:\?[^}]+\}", secrets[key]), key


def test_the_example_names_what_the_file_asks_for() -> None:
    """Required: to be filled in. Optional: with the file's own default."""
    _, _, ours = (ROOT / ".env.example").read_text().partition("# docker-compose.yml")
    given = dict(re.findall(r"^# ([A-Z_0-9]+)=(.*)$", ours, flags=re.MULTILINE))
    said = "\n".join(texts(FILE))
    required = set(re.findall(r"\$\{(\w+):\?", said))
    optional = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", said))
    assert given == dict.fromkeys(required, "") | optional
    assert set(re.findall(r"\$\{(\w+)", said)) == required | set(optional), "a variable without a default or a message"


def test_airflow_s_page_is_all_that_is_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"airflow-api-server": ["${UI_BIND:-127.0.0.1}:${UI_PORT:-8080}:8080"]}
    assert [n for n, s in SERVICES.items() if s.get("network_mode") or s.get("privileged") or s.get("pid")] == []


def test_the_network_inside_leads_nowhere() -> None:
    assert FILE["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert outside == {"airflow-api-server", "airflow-scheduler"}
    assert [name for name, service in SERVICES.items() if "inside" not in service["networks"]] == []


def test_the_engine_s_socket_is_nobody_s() -> None:
    assert [text for text in texts(FILE) if "docker.sock" in text] == []


@each_service
def test_every_image_is_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.search(r"\d+\.\d+", tag), "a tag that may move"


def test_our_image_has_the_package_s_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {s["image"] for s in SERVICES.values() if s["image"].startswith(IMAGE)} == {f"{IMAGE}{version}"}


@each_server
def test_every_server_is_asked_how_it_is(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_runs_once(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


@each_service
def test_every_container_is_bounded(name: str) -> None:
    assert {"cpus", "memory", "pids"} <= set(SERVICES[name]["deploy"]["resources"]["limits"])
    assert SERVICES[name]["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]


@each_of_ours
def test_our_containers_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "user" not in service, "the image's, who is not root"


def test_volumes_are_named_and_declared() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    names = {volume.partition(":")[0] for volume in mounted}
    assert names == set(FILE["volumes"])
    assert [volume for volume in mounted if volume.startswith((".", "/", "~"))] == []


@each_service
def test_what_is_waited_for_can_come_about(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in JOBS else "service_healthy"
        assert how == {"condition": wanted}
        assert set(SERVICES[other].get("profiles", [])) <= set(SERVICES[name].get("profiles", []))


def test_the_made_up_things_are_in_the_demo_alone() -> None:
    assert {n for n, s in SERVICES.items() if s.get("profiles")} == {"pin-api", "prepare-demo", "generator", "mail"}


def test_modules_that_are_started_exist() -> None:
    commands = "\n".join(" ".join(map(str, s.get("command", []))) for s in SERVICES.values())
    checks = "\n".join(" ".join(service["healthcheck"]["test"]) for service in SERVERS.values())
    modules = set(re.findall(r"-m (pinwheel[\w.]+)", f"{commands}\n{checks}"))
    assert len(modules) == 6
    for module in modules:
        assert callable(import_module(module).main)


def test_executors_reach_the_driver_under_a_name_of_the_network_inside() -> None:
    scheduler = SERVICES["airflow-scheduler"]
    assert environment_of("airflow-scheduler")["SPARK_LOCAL_IP"] in scheduler["networks"]["inside"]["aliases"]


def test_spark_s_programs_have_one_secret_and_ask_for_it() -> None:
    users = ("spark-master", "spark-worker", "airflow-scheduler")
    assert {environment_of(name).get(AUTH) for name in users} == {environment_of("spark-master")[AUTH]}
    assert {name for name in SERVICES if AUTH in environment_of(name)} == set(users)
    for name in ("master", "worker"):
        said = environment_of(f"spark-{name}")[f"SPARK_{name.upper()}_OPTS"]
        assert "-Dspark.authenticate=true" in said.split()
    assert spark.options()["spark.authenticate"] == "true"


def test_lake_and_checkpoints_are_in_the_bucket_that_is_prepared() -> None:
    told = environment_of("airflow-scheduler")
    bucket = environment_of("prepare")["PINWHEEL_LAKE_URI"].removeprefix("s3://").partition("/")[0]
    assert told["PINWHEEL_LAKE_URI"].startswith(f"s3://{bucket}/")
    assert told["PINWHEEL_CHECKPOINT_URI"].startswith(f"s3a://{bucket}/"), "Spark knows it by Hadoop's name"


def test_the_same_login_for_the_store_and_its_clients() -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert len({environment_of(name)[key] for name in ("s3", "prepare", "spark-worker", *WITH_STORE)}) == 1


@pytest.mark.parametrize("name", sorted(AIRFLOW - {"airflow-scheduler"}))
def test_an_airflow_without_tasks_has_no_secret_of_theirs(name: str) -> None:
    passwords = {"PINWHEEL_REPORT_MEMSQL_PASSWORD", "PINWHEEL_ANALYST_MEMSQL_PASSWORD"}
    pages = passwords | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PINWHEEL_METRICS_TOKEN"}
    of_airflow = {"PINWHEEL_AIRFLOW_DATABASE_URL"}
    secrets = {key for key in environment_of(name) if OF_THE_PIPELINE.search(key)} - of_airflow
    assert secrets == (pages if name == "airflow-api-server" else set())


# The image.


def test_the_image_is_made_by_the_scripts_of_make_run() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for step in ("pinwheel/install/bootstrap.py", "tools"):
        assert re.search(rf"^\t@\$\((PYTHON|PINWHEEL)\) {step}$", makefile, flags=re.MULTILINE)
        assert re.search(rf"(python3|bin/pinwheel) {step}\b", DOCKERFILE)
    assert not re.search(r"pip install|apt-get install|curl|wget", DOCKERFILE), "the scripts install, from the locks"
    assert DOCKERFILE.rstrip().endswith("USER pinwheel")
    assert re.search(r"^FROM python:3\.11\.\d+-\S+$", DOCKERFILE, flags=re.MULTILINE)


def test_the_first_layers_have_all_that_their_steps_import(tmp_path: Path) -> None:
    """They are made before the rest is copied, so that a changed line of ours does not download everything anew."""
    before_run = DOCKERFILE.partition("\nRUN ")[0]
    for line in re.findall(r"^COPY (.+)$", before_run, flags=re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copy(ROOT / source, tmp_path / target)
    code = "import pinwheel.cli, pinwheel.install.bootstrap, pinwheel.install.progress, pinwheel.install.tools as t; "
    code += "from pinwheel.local.settings import LocalSettings as L; tools = t.server_tools(L().tools_dir); "
    code += "print(len(tools)); print(t.__file__)"
    told = {**os.environ, "PYTHONPATH": str(tmp_path), "PINWHEEL_STATE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1].startswith(str(tmp_path))


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def test_no_secret_and_no_download_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", ".pinwheel"} <= set(ignored)


def test_the_login_is_written_where_airflow_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pinwheel.server import login

    path = tmp_path / "home" / "passwords.json"
    monkeypatch.setenv(login.FILE, str(path))
    with pytest.raises(SystemExit, match="AIRFLOW_ADMIN_PASSWORD must be set"):
        login.main()
    for password in ("first", "second"):
        monkeypatch.setenv(login.PASSWORD, password)
        login.main()
    assert json.loads(path.read_text()) == {ADMIN: "second"}
    assert path.stat().st_mode & 0o077 == 0
