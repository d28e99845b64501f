"""Airflow connections fill what the environment leaves out; each message names the connection and its field."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from pinwheel.core import connections
from pinwheel.core.errors import SettingError
from pinwheel.core.settings import EngineSettings, KafkaSettings, LakeSettings, MemsqlSettings, PinSettings, load
from pinwheel.local.settings import LocalSettings
from tests.support.settings_classes import settings_classes

MEMSQL = {
    "conn_type": "mysql",
    "host": "127.0.0.1",
    "port": 3307,
    "schema": "engagement",
    "login": "merge",
    "password": "hush:@/%",
    "extra": {"engine": "singlestore", "connect_seconds": 2},
}
MEMSQL_URI = "mysql://merge:hush%3A%40%2F%25@127.0.0.1:3307/engagement?engine=singlestore&connect_seconds=2"  # the same
STORE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP")


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW_HOME", str(airflow_home))
    for name in {connections.variable(field) for cls in settings_classes() for field in cls.model_fields}:
        monkeypatch.delenv(name, raising=False)
    for name in (*STORE, connections.NAMED):
        monkeypatch.setenv(name, "")  # so that what the code sets is taken back too
    connections.given.cache_clear()
    yield
    connections.given.cache_clear()


def define(monkeypatch: pytest.MonkeyPatch, conn_id: str, fields: dict[str, Any] | str) -> None:
    text = fields if isinstance(fields, str) else json.dumps(fields)
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", text)


@pytest.mark.parametrize("written", [MEMSQL, MEMSQL_URI])
def test_a_connection_fills_what_the_environment_leaves_out(
    monkeypatch: pytest.MonkeyPatch, written: dict[str, Any] | str
) -> None:
    define(monkeypatch, "pinwheel_memsql", written)
    monkeypatch.setenv("PINWHEEL_MEMSQL_PORT", "3399")
    found = load(MemsqlSettings, memsql_database="asked")
    assert (found.memsql_host, found.memsql_port, found.memsql_database) == ("127.0.0.1", 3399, "asked")
    assert (found.memsql_user, found.memsql_password.get_secret_value()) == ("merge", "hush:@/%")
    assert (found.memsql_engine, found.memsql_connect_seconds, found.memsql_statement_seconds) == (
        "singlestore",
        2,
        600,
    )


def test_where_each_setting_comes_from_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "pinwheel_memsql", MEMSQL)
    monkeypatch.setenv("PINWHEEL_MEMSQL_PORT", "3399")
    assert connections.origin("memsql_port") == "environment"
    assert connections.origin("memsql_database") == "connection pinwheel_memsql: schema"
    assert connections.origin("memsql_ssl_ca") == "default"
    (line,) = connections.told()
    assert line.startswith("connection pinwheel_memsql gives host, schema, login, password, engine")
    assert line.endswith("; the environment has port")


def test_reading_one_is_logged_without_its_values(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    define(monkeypatch, "pinwheel_memsql", MEMSQL)
    with caplog.at_level(logging.DEBUG):
        load(MemsqlSettings)
        load(MemsqlSettings)
    told = [record.getMessage() for record in caplog.records if record.name == connections.__name__]
    fields = "connect_seconds,engine,host,login,password,port,schema"
    assert told == [f"settings from connection=pinwheel_memsql fields={fields}"]
    assert "hush" not in caplog.text


@pytest.mark.parametrize(
    ("conn_id", "written", "message"),
    [
        ("pinwheel_memsql", MEMSQL | {"port": "abc"}, "connection pinwheel_memsql: port 'abc' is no number"),
        ("pinwheel_memsql", MEMSQL | {"port": 70000}, "connection pinwheel_memsql: port 70000: .*less than or equal"),
        ("pinwheel_memsql", MEMSQL | {"extra": {"engine": "db2"}}, "connection pinwheel_memsql: engine 'db2': "),
        (
            "pinwheel_memsql",
            MEMSQL | {"extra": {"tls": 1}},
            "connection pinwheel_memsql: tls is no part of it; .*ssl_ca",
        ),
        ("pinwheel_memsql", MEMSQL | {"extra": "[1]"}, "connection pinwheel_memsql: extra is no JSON object"),
        ("pinwheel_memsql", MEMSQL | {"user": "ann"}, "connection pinwheel_memsql: .*has others than the fields host"),
        ("pinwheel_memsql", '{"host": ', "connection pinwheel_memsql: AIRFLOW_CONN_PINWHEEL_MEMSQL is no JSON"),
        ("pinwheel_memsql", "mysql://ann:pa/ss@db", "connection pinwheel_memsql: .* is no URI: its port is no number"),
        ("pinwheel_kafka", {"host": "a,b", "port": 9092}, "connection pinwheel_kafka: a port needs one host"),
        ("pinwheel_pin_api", {"host": "pins"}, "connection pinwheel_pin_api: schema is empty; give http or https"),
    ],
)
def test_what_is_wrong_with_a_connection_is_said_by_its_id_and_field(
    monkeypatch: pytest.MonkeyPatch, conn_id: str, written: dict[str, Any] | str, message: str
) -> None:
    define(monkeypatch, conn_id, written)
    classes: dict[str, type[BaseSettings]] = {"pinwheel_kafka": KafkaSettings, "pinwheel_pin_api": PinSettings}
    with pytest.raises(SettingError, match=message) as told:
        load(classes.get(conn_id, MemsqlSettings))
    assert "hush" not in str(told.value)
    assert "'pa'" not in str(told.value)


def test_one_that_is_named_and_not_there_is_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(connections.NAMED, "pinwheel_memsql, pinwheel_lake")
    with pytest.raises(SettingError, match=r"connection pinwheel_lake: Airflow has none.*PINWHEEL_CONNECTIONS names"):
        load(LakeSettings)
    assert load(EngineSettings).lake_engine == "local", "what Dag files need asks for none"
    monkeypatch.setenv(connections.NAMED, "pinwheel_lakes")
    with pytest.raises(SettingError, match=r"'pinwheel_lakes' is no connection of Pinwheel; there are pinwheel_kafka"):
        load(LakeSettings)


def test_none_switches_off_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "pinwheel_memsql", MEMSQL)
    monkeypatch.setenv(connections.NAMED, "none")
    assert load(MemsqlSettings).memsql_user == "pinwheel"


def test_the_embedded_stack_takes_its_own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "pinwheel_memsql", MEMSQL)
    assert load(LocalSettings).memsql_port == 13306


def test_a_broker_and_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "pinwheel_kafka", "kafka://ann:hush@broker:9093/?security_protocol=SASL_SSL&topic=events")
    found = load(KafkaSettings)
    assert (found.kafka_bootstrap, found.topic, found.kafka_sasl_username) == ("broker:9093", "events", "ann")
    define(monkeypatch, "pinwheel_kafka", {"host": "a:1,b:2"})
    connections.given.cache_clear()
    assert load(KafkaSettings).kafka_bootstrap == "a:1,b:2"


@pytest.mark.parametrize(
    "written",
    [
        {"host": "https://pins:8443/", "password": "hush"},
        {"host": "pins", "schema": "https", "port": 8443, "password": "hush"},
    ],
)
def test_the_pin_api_s_address(monkeypatch: pytest.MonkeyPatch, written: dict[str, Any]) -> None:
    define(monkeypatch, "pinwheel_pin_api", written)
    found = load(PinSettings)
    assert (found.pin_api_url.rstrip("/"), found.pin_api_token.get_secret_value()) == ("https://pins:8443", "hush")


def test_a_lake_in_a_store_gives_the_store_s_clients_their_login(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"region": "eu-west-1", "allow_http": True}
    store = {"host": "s3://bucket/lake", "login": "key", "password": "hush", "extra": extra}
    define(monkeypatch, "pinwheel_lake", store)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert load(LakeSettings).events_uri == "s3://bucket/lake/events"
    assert [os.environ[name] for name in STORE] == ["key", "hush", "eu-north-1", "", "true"]


def test_children_get_all_of_it_and_need_no_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "pinwheel_memsql", MEMSQL)
    define(monkeypatch, "pinwheel_memsql_stream", {"login": "stream", "password": "hush-stream"})
    monkeypatch.setenv("PINWHEEL_MEMSQL_USER", "somebody")
    found = connections.environment(connections.FIELDS)
    assert found["PINWHEEL_MEMSQL_PASSWORD"] == "hush:@/%"
    assert found["PINWHEEL_STREAM_MEMSQL_PASSWORD"] == "hush-stream"
    assert found[connections.NAMED] == connections.NONE
    assert "PINWHEEL_MEMSQL_USER" not in found
    monkeypatch.setattr(os, "environ", dict(os.environ))
    connections.give_to_children()
    assert os.environ["PINWHEEL_MEMSQL_PASSWORD"] == "hush:@/%"
    assert connections.in_use() == [], "once they are in the environment"
