"""The embedded broker: one Kafka node, KRaft, loopback only, with a login on both of its listeners.

The login is SASL/PLAIN: its users are in the broker's own file, which only we can read, so a new password is valid at
the next start, and a storage that was formatted before there was a login needs nothing. SCRAM's users are in the
storage: the first one has to be given to the storage tool, on a command line that every local user can read.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from pinwheel.core import atomic
from pinwheel.core.errors import LocalError
from pinwheel.core.settings import KafkaSettings, load
from pinwheel.install.bootstrap import java_program
from pinwheel.install.progress import Say
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import LOOPBACK, Part, answers
from pinwheel.local.processes import Program
from pinwheel.local.settings import LocalSettings

LOGGING = Path(__file__).parent / "kafka_log4j2.properties"
MECHANISM = "PLAIN"
CLIENT, BROKER = "pinwheel", "broker"  # users: of clients, and of the broker itself, which alone reaches its controller
HEAP = ("-Xms128m", "-Xmx384m")  # 10,000 events/s need far less; the page cache does the work


def part(settings: LocalSettings, credentials: Credentials, withheld: frozenset[str]) -> Part:
    """Kafka, with the events topic; it inherits none of the ``withheld`` variables."""
    home = settings.stack_dir / "kafka"
    properties = home / "server.properties"
    return Part(
        name="kafka",
        title="Kafka",
        programs=(Program("kafka", (*_java(settings), *HEAP, "kafka.Kafka", str(properties)), {}, withheld),),
        waiting_for=f"the broker on port {settings.kafka_port}",
        ready=lambda: answers(settings.kafka_port),
        prepare=lambda say: _prepare(settings, credentials, home, say),
        finish=lambda say: ensure_topic(settings, credentials, say),
    )


def client(settings: LocalSettings, credentials: Credentials) -> dict[str, str]:
    """The broker's address and its clients' login, as settings."""
    return {
        "kafka_bootstrap": f"{LOOPBACK}:{settings.kafka_port}",
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_sasl_mechanism": MECHANISM,
        "kafka_sasl_username": CLIENT,
        "kafka_sasl_password": credentials.kafka_client,
    }


def _java(settings: LocalSettings) -> tuple[str, ...]:
    return (
        java_program(),
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={LOGGING}",
        "-cp",
        f"{settings.tools_dir / 'jars' / 'kafka'}/*",
    )


def properties_text(settings: LocalSettings, credentials: Credentials, home: Path) -> str:
    """The broker's configuration: Kafka's defaults, except what one node on a small machine needs."""
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # Static voters: the ports may change between runs, but a formatted quorum keeps the old ones.
        "controller.quorum.voters": f"1@{LOOPBACK}:{settings.kafka_controller_port}",
        "listeners": (
            f"CLIENTS://{LOOPBACK}:{settings.kafka_port},CONTROLLER://{LOOPBACK}:{settings.kafka_controller_port}"
        ),
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{settings.kafka_port}",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": MECHANISM,
        "listener.name.clients.plain.sasl.jaas.config": _jaas(credentials, {CLIENT: credentials.kafka_client}),
        "listener.name.controller.plain.sasl.jaas.config": _jaas(credentials, {}),
        "log.dirs": home / "data",
        "auto.create.topics.enable": "false",  # a mistyped topic is an error, not a new topic
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.segment.bytes": 128 * 1024 * 1024,
        "log.retention.hours": 72,  # long enough to land the events of a weekend's outage
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _jaas(credentials: Credentials, others: Mapping[str, str]) -> str:
    """The broker's own login, and all that it takes; passwords of ours need no escapes."""
    users = {BROKER: credentials.kafka_broker, **others}
    taken = "".join(f' user_{name}="{password}"' for name, password in users.items())
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return f'{module} required username="{BROKER}" password="{credentials.kafka_broker}"{taken};'


def _prepare(settings: LocalSettings, credentials: Credentials, home: Path, say: Say) -> None:
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    atomic.write_text(properties, properties_text(settings, credentials, home), mode=0o600)
    if (home / "data" / "meta.properties").exists():
        return
    say("formatting the storage")
    options = ("--ignore-formatted", "-t", credentials.kafka_cluster, "-c", str(properties))
    tool = ("kafka.tools.StorageTool", "format", *options)
    done = subprocess.run((*_java(settings), *tool), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"Kafka's storage in {home} could not be formatted:\n{done.stdout}{done.stderr}")


def ensure_topic(settings: LocalSettings, credentials: Credentials, say: Say) -> None:
    """Create the events topic, or add partitions up to PINWHEEL_PARTITIONS; they are never removed. Idempotent.

    A topic of an earlier version kept its producers' times. It is ours alone, so the broker's are used from now on.

    Raises:
        MissingPartError: the broker refuses or does not answer.
    """
    from pinwheel.clients import kafka_topic

    broker = load(KafkaSettings, **client(settings, credentials), topic=settings.topic)
    say(f"the topic {settings.topic}")
    kafka_topic.ensure_topic(broker, settings.partitions, replicas=1)
    kafka_topic.use_brokers_time(broker)
