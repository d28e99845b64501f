"""The embedded broker serves nobody without a login: neither where clients connect nor where its controller listens."""

import socket
import stat
import struct

import pytest

from pinwheel.clients import kafka
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings, load
from pinwheel.local.kafka import BROKER, CLIENT, client
from pinwheel.local.stack import Stack

DESCRIBE_CLUSTER, HANDSHAKE, AUTHENTICATE = (60, 0), (17, 1), (36, 0)  # the key and version of a request
NO_FLAGS = b"\0"
LISTENERS = ("kafka_port", "kafka_controller_port")


def ask(connection: socket.socket, api: tuple[int, int], body: bytes) -> bytes:
    """The answer to a request of Kafka's protocol; empty if the broker hangs up."""
    tagged = NO_FLAGS if api == DESCRIBE_CLUSTER else b""
    request = struct.pack(">hhih", *api, 1, -1) + tagged + body
    try:
        connection.sendall(struct.pack(">i", len(request)) + request)
        size = connection.recv(4, socket.MSG_WAITALL)
        return connection.recv(struct.unpack(">i", size)[0], socket.MSG_WAITALL)[4:] if size else b""
    except ConnectionError:
        return b""


def is_served(stack: Stack, listener: str, user: str = "", password: str = "") -> bool:
    """Whether a client with this login, or with none, gets a description of the cluster."""
    with socket.create_connection(("127.0.0.1", getattr(stack.settings, listener)), 10) as connection:
        if user:
            assert ask(connection, HANDSHAKE, struct.pack(">h", 5) + b"PLAIN")[:2] == b"\0\0"
            token = f"\0{user}\0{password}".encode()
            ask(connection, AUTHENTICATE, struct.pack(">i", len(token)) + token)
        return bool(ask(connection, DESCRIBE_CLUSTER, b"\0" + NO_FLAGS))


@pytest.mark.parametrize("listener", LISTENERS)
def test_nobody_is_served_without_the_right_login(stack_with_kafka: Stack, listener: str) -> None:
    secrets = stack_with_kafka.credentials
    assert is_served(stack_with_kafka, listener, BROKER, secrets.kafka_broker)
    assert not is_served(stack_with_kafka, listener)
    assert not is_served(stack_with_kafka, listener, BROKER, secrets.kafka_client)
    assert not is_served(stack_with_kafka, listener, "nobody", secrets.kafka_broker)


def test_a_client_is_not_the_controller_s(stack_with_kafka: Stack) -> None:
    secrets = stack_with_kafka.credentials
    clients, controller = (is_served(stack_with_kafka, port, CLIENT, secrets.kafka_client) for port in LISTENERS)
    assert (clients, controller) == (True, False)


def test_our_clients_need_the_login_too(stack_with_kafka: Stack) -> None:
    right = client(stack_with_kafka.settings, stack_with_kafka.credentials)
    topic = stack_with_kafka.settings.topic
    assert kafka.partitions(load(KafkaSettings, **right, topic=topic))
    for wrong in ({"kafka_security_protocol": "PLAINTEXT"}, {"kafka_sasl_password": "guessed"}):
        with pytest.raises(MissingPartError, match="does not answer"):
            kafka.partitions(load(KafkaSettings, **(right | wrong), topic=topic))


def test_the_passwords_are_in_its_own_file_and_nowhere_else(stack_with_kafka: Stack) -> None:
    leader = stack_with_kafka.owned("kafka").leader()
    assert leader is not None
    folder = stack_with_kafka.settings.stack_dir
    said = " ".join([*leader.cmdline(), *leader.environ().values(), (folder / "logs" / "kafka.log").read_text()])
    file = folder / "kafka" / "server.properties"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for password in (stack_with_kafka.credentials.kafka_client, stack_with_kafka.credentials.kafka_broker):
        assert password in file.read_text()
        assert password not in said
