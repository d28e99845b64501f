"""Settings: one meaning per name, secrets kept, messages that can be acted on, and the options of Kafka's clients."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from pinwheel.clients.kafka import librdkafka_options, spark_options
from pinwheel.core.errors import SettingError
from pinwheel.core.settings import (
    AlertSettings,
    CompactSettings,
    HealthSettings,
    KafkaSettings,
    MemsqlSettings,
    MergeSettings,
    RetentionSettings,
    StreamSettings,
    SuperviseSettings,
    WebSettings,
    load,
)
from pinwheel.local import credentials, environment
from pinwheel.local.settings import LocalSettings
from tests.support.settings_classes import settings_classes

ROOT = Path(__file__).resolve().parents[2]
SECRET = re.compile(r"password|secret|token|credential|alert_urls|(^|_)key($|_)")
SASL = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "ann", "kafka_sasl_password": "s3cret"}


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {f"PINWHEEL_{field.upper()}" for cls in settings_classes() for field in cls.model_fields}:
        monkeypatch.delenv(name, raising=False)


def secrets_of(cls: type[BaseSettings]) -> set[str]:
    return {name for name, field in cls.model_fields.items() if field.annotation is SecretStr}


def test_a_process_holds_the_secrets_that_it_needs_and_no_others() -> None:
    """No process's class inherits from another's: the pages once got Kafka's password that way."""
    assert secrets_of(WebSettings) == {"memsql_password", "metrics_token"}
    assert secrets_of(SuperviseSettings) == {"kafka_sasl_password"}
    assert secrets_of(MergeSettings) == {"memsql_password"}
    assert secrets_of(StreamSettings) == {"kafka_sasl_password", "memsql_password", "erasure_key", "pin_api_token"}
    processes = {StreamSettings, SuperviseSettings, HealthSettings, MergeSettings, CompactSettings, WebSettings}
    assert {cls for cls in settings_classes() if processes & {*cls.__mro__[1:]}} == set()


def test_a_name_has_one_default_and_one_type() -> None:
    found = defaultdict(set)
    for cls in settings_classes():
        for name, field in cls.model_fields.items():
            found[name].add((repr(field.default), str(field.annotation)))
    assert len(found) > 60
    assert {name: ways for name, ways in found.items() if len(ways) > 1} == {}


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_BRAND_USERS", "")
    monkeypatch.setenv("PINWHEEL_TOPIC", "")
    assert load(WebSettings).brand_users == {}
    assert load(KafkaSettings).topic == "engagement.events"


def test_a_name_has_one_meaning() -> None:
    """Declared by one class, or also by the stack's class, which passes it on to the others."""
    said_by = defaultdict(list)
    for cls in settings_classes():
        for name in vars(cls).get("__annotations__", {}):
            if name in cls.model_fields:
                said_by[name].append(cls)
    twice = {name for name, classes in said_by.items() if len(classes) > 1}
    handed_on = {name.removeprefix("PINWHEEL_").lower() for name in environment.shared(LocalSettings())}
    assert twice - handed_on == set()
    assert all(len(said_by[name]) == 2 and LocalSettings in said_by[name] for name in twice)


def test_every_secret_is_kept_out_of_logs() -> None:
    secrets = {
        (name, field.annotation)
        for cls in settings_classes()
        for name, field in cls.model_fields.items()
        if SECRET.search(name)
    }
    users = {f"{role}memsql_password" for role in ("", "merge_", "stream_", "report_", "analyst_")}
    others = {"kafka_sasl_password", "alert_urls", "smtp_password", "erasure_key", "pin_api_token", "metrics_token"}
    assert {name for name, _ in secrets} == users | others
    assert {kind for _, kind in secrets} == {SecretStr}
    assert "s3cret" not in repr(load(MemsqlSettings, memsql_password="s3cret"))


def test_every_default_has_its_reason() -> None:
    """``docs/settings.md`` is made from the comments."""
    ours, _, _ = (ROOT / "docs" / "settings.md").read_text().partition("## The generator")
    rows = [line for line in ours.splitlines() if re.match(r"\| (\*\*s\*\* )?`PINWHEEL_", line)]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_class_loads_without_any_environment() -> None:
    for cls in settings_classes():
        load(cls)


def test_the_environment_is_read_and_values_go_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_MEMSQL_PORT", "3307")
    assert load(MergeSettings).memsql_port == 3307
    assert load(MergeSettings, memsql_port=3308).memsql_port == 3308


@pytest.mark.parametrize(
    ("cls", "name", "value", "allowed"),
    [
        (MemsqlSettings, "PINWHEEL_MEMSQL_PORT", "70000", "less than or equal to 65535"),
        (MemsqlSettings, "PINWHEEL_MEMSQL_PORT", "many", "valid integer"),
        (MemsqlSettings, "PINWHEEL_MEMSQL_ENGINE", "oracle", "(mariadb|singlestore)"),
        (StreamSettings, "PINWHEEL_TRIGGER_SECONDS", "0", "greater than 0"),
        (KafkaSettings, "PINWHEEL_KAFKA_SECURITY_PROTOCOL", "sasl_ssl", "(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)"),
        (KafkaSettings, "PINWHEEL_KAFKA_SASL_MECHANISM", "GSSAPI", "(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)"),
    ],
)
def test_a_bad_value_is_told_with_its_name_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, cls: type[BaseSettings], name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as told:
        load(cls)
    (line,) = str(told.value).splitlines()[1:]
    assert line.startswith(f"  {name}='{value}': ")
    assert allowed in line


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_MEMSQL_PORT", "0")
    monkeypatch.setenv("PINWHEEL_TRIGGER_SECONDS", "soon")
    with pytest.raises(SettingError, match=r"(?s)MEMSQL_PORT='0'.*TRIGGER_SECONDS='soon'"):
        load(StreamSettings)


class Several(BaseSettings):
    """A setting of several values."""

    model_config = MemsqlSettings.model_config
    pairs: dict[str, str] = {}


@pytest.mark.parametrize(
    ("text", "allowed"), [('{"a": ', "must be JSON"), ("a=b", "must be JSON"), ("[1]", "dictionary")]
)
def test_a_broken_setting_of_several_values(monkeypatch: pytest.MonkeyPatch, text: str, allowed: str) -> None:
    monkeypatch.setenv("PINWHEEL_PAIRS", text)
    with pytest.raises(SettingError) as told:
        load(Several)
    assert "PINWHEEL_PAIRS=" in str(told.value)
    assert text in str(told.value) or text == "[1]"
    assert allowed in str(told.value)


def test_a_bad_secret_is_not_told() -> None:
    with pytest.raises(SettingError, match=r"PINWHEEL_ALERT_URLS=\(secret\): Input should be a valid string") as told:
        load(AlertSettings, alert_urls=["slack://token"])
    assert "token" not in str(told.value)


@pytest.mark.parametrize("missing", ["kafka_sasl_username", "kafka_sasl_password"])
def test_sasl_without_a_user_is_told_without_the_password(missing: str) -> None:
    with pytest.raises(SettingError) as told:
        load(KafkaSettings, **(SASL | {missing: ""}))
    assert "PINWHEEL_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs PINWHEEL_KAFKA_SASL_USERNAME" in str(told.value)
    assert "s3cret" not in str(told.value)


def kafka(**values: Any) -> KafkaSettings:
    return load(KafkaSettings, kafka_bootstrap="127.0.0.1:1", **values)


def test_plaintext_is_the_broker_and_nothing_else() -> None:
    assert librdkafka_options(kafka()) == {"bootstrap.servers": "127.0.0.1:1", "security.protocol": "PLAINTEXT"}
    assert spark_options(kafka()) == {
        "kafka.bootstrap.servers": "127.0.0.1:1",
        "kafka.security.protocol": "PLAINTEXT",
    }


def test_a_user_is_not_sent_where_nobody_asks_for_one() -> None:
    settings = kafka(**(SASL | {"kafka_security_protocol": "SSL"}))
    assert "s3cret" not in str(librdkafka_options(settings)) + str(spark_options(settings))


def test_sasl_for_librdkafka() -> None:
    settings = kafka(**SASL, kafka_ssl_ca="/etc/kafka/ca.pem")
    assert librdkafka_options(settings) == {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": "s3cret",
        "ssl.ca.location": "/etc/kafka/ca.pem",
    }


@pytest.mark.parametrize(
    ("mechanism", "module"),
    [
        ("PLAIN", "plain.PlainLoginModule"),
        ("SCRAM-SHA-256", "scram.ScramLoginModule"),
        ("SCRAM-SHA-512", "scram.ScramLoginModule"),
    ],
)
def test_sasl_for_java(mechanism: str, module: str) -> None:
    settings = kafka(**SASL, kafka_sasl_mechanism=mechanism, kafka_ssl_ca="/etc/kafka/ca.pem")
    login = f'org.apache.kafka.common.security.{module} required username="ann" password="s3cret";'
    assert spark_options(settings) == {
        "kafka.bootstrap.servers": "127.0.0.1:1",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": mechanism,
        "kafka.sasl.jaas.config": login,
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.location": "/etc/kafka/ca.pem",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_librdkafka_takes_its_options(mechanism: str) -> None:
    settings = kafka(**(SASL | {"kafka_security_protocol": "SASL_PLAINTEXT"}), kafka_sasl_mechanism=mechanism)
    Consumer({**librdkafka_options(settings), "group.id": "test", "log_level": 0}).close()


def as_java_reads(config: str) -> dict[str, str]:
    """The options of a JAAS line by the rules of Java's StreamTokenizer, which Kafka reads it with.

    In quotes a backslash makes n, r and t a control character, digits an octal number, and anything else itself; a
    line's end is the end of the text.
    """
    quoted = re.findall(r'(\w+)="((?:\\.|[^"\\\r\n])*)"(?= |;$)', config.partition(" required ")[2])
    special = {"n": "\n", "r": "\r", "t": "\t"}
    octal = r"\\([0-3]?[0-7]{1,2})|\\(.)"

    def meant(found: re.Match[str]) -> str:
        return chr(int(found[1], 8)) if found[1] else special.get(found[2], found[2])

    return {name: re.sub(octal, meant, text) for name, text in quoted}


@pytest.mark.parametrize(
    "password",
    [
        'a"b',
        "a\\",
        '\\"',
        '"; evil="x',
        "it's",
        "a b;c=d//e/*f*/",
        "\\n\\101",
        "line\nend\r",
        "tab\t",
        "pässwörd😀",
        "${x}",
    ],
)
def test_java_reads_the_very_password_and_name(password: str) -> None:
    settings = kafka(**(SASL | {"kafka_sasl_password": password, "kafka_sasl_username": password[::-1]}))
    config = spark_options(settings)["kafka.sasl.jaas.config"]
    assert as_java_reads(config) == {"username": password[::-1], "password": password}
    assert librdkafka_options(settings)["sasl.password"] == password


def test_quotes_are_escaped() -> None:
    config = spark_options(kafka(**(SASL | {"kafka_sasl_password": 'a"\\b'})))["kafka.sasl.jaas.config"]
    assert config.endswith(r'password="a\"\\b";')


def test_the_stack_keeps_to_its_own_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The .env of the person who runs it may name another Kafka."""
    monkeypatch.setenv("PINWHEEL_KAFKA_SECURITY_PROTOCOL", "SSL")
    told = environment.for_generator(LocalSettings(), credentials.load(tmp_path))
    assert told["PINWHEEL_KAFKA_SECURITY_PROTOCOL"] == "SASL_PLAINTEXT"


def test_the_example_says_the_defaults_and_can_be_uncommented() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line[2:].split("=", 1) for line in lines if re.match(r"# PINWHEEL_", line))
    assert len(given) > 10
    fields = LocalSettings.model_fields
    defaults = {f"PINWHEEL_{name.upper()}": field.default for name, field in fields.items()}
    assert {name: type(defaults[name])(value) for name, value in given.items()} == {n: defaults[n] for n in given}
    assert [line for line in lines if line and not line.startswith("#")] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"retain_alert_days": 61}, "PINWHEEL_RETAIN_ALERT_DAYS=61: .*at least 62"),
        (
            {"retain_lake_days": 90},
            "PINWHEEL_RETAIN_LAKE_DAYS=90 needs PINWHEEL_RETAIN_EVENT_DAYS from 62 to 90, not 0",
        ),
        ({"retain_lake_days": 90, "retain_event_days": 91}, "to 90, not 91"),
    ],
)
def test_a_retention_that_loses_what_is_needed_is_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load(RetentionSettings, **values)


def test_a_retention_that_is_long_enough() -> None:
    load(RetentionSettings, retain_lake_days=90, retain_event_days=90)
    load(RetentionSettings, retain_event_days=62)
