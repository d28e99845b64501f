"""The embedded broker: one Kafka node, KRaft, loopback only."""

import subprocess
from pathlib import Path

from pinwheel.core.errors import LocalError
from pinwheel.install.bootstrap import java_program
from pinwheel.install.progress import Say
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import LOOPBACK, Part, answers
from pinwheel.local.processes import Program
from pinwheel.local.settings import LocalSettings

LOGGING = Path(__file__).parent / "kafka_log4j2.properties"
HEAP = ("-Xms128m", "-Xmx384m")  # 10,000 events/s need far less; the page cache does the work


def part(settings: LocalSettings, credentials: Credentials) -> Part:
    """Kafka, with the events topic."""
    home = settings.stack_dir / "kafka"
    properties = home / "server.properties"
    return Part(
        name="kafka",
        title="Kafka",
        programs=(Program("kafka", (*_java(settings), *HEAP, "kafka.Kafka", str(properties)), {}),),
        waiting_for=f"the broker on port {settings.kafka_port}",
        ready=lambda: answers(settings.kafka_port),
        prepare=lambda say: _prepare(settings, credentials.kafka_cluster, home, say),
        finish=lambda say: ensure_topic(settings, say),
    )


def _java(settings: LocalSettings) -> tuple[str, ...]:
    return (
        java_program(),
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={LOGGING}",
        "-cp",
        f"{settings.tools_dir / 'jars' / 'kafka'}/*",
    )


def properties_text(settings: LocalSettings, home: Path) -> str:
    """The broker's configuration: Kafka's defaults, except what one node on a small machine needs."""
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # Static voters: the ports may change between runs, but a formatted quorum keeps the old ones.
        "controller.quorum.voters": f"1@{LOOPBACK}:{settings.kafka_controller_port}",
        "listeners": (
            f"PLAINTEXT://{LOOPBACK}:{settings.kafka_port},CONTROLLER://{LOOPBACK}:{settings.kafka_controller_port}"
        ),
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{settings.kafka_port}",
        "controller.listener.names": "CONTROLLER",
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


def _prepare(settings: LocalSettings, cluster: str, home: Path, say: Say) -> None:
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    properties.write_text(properties_text(settings, home))
    if (home / "data" / "meta.properties").exists():
        return
    say("formatting the storage")
    tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", str(properties))
    done = subprocess.run((*_java(settings), *tool), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"Kafka's storage in {home} could not be formatted:\n{done.stdout}{done.stderr}")


def ensure_topic(settings: LocalSettings, say: Say) -> None:
    """Create the events topic, or add partitions up to PINWHEEL_PARTITIONS; they are never removed. Idempotent.

    A topic of an earlier version kept its producers' times. It is ours alone, so the broker's are used from now on.

    Raises:
        MissingPartError: the broker refuses or does not answer.
    """
    from pinwheel.clients import kafka_topic
    from pinwheel.core.settings import KafkaSettings, load

    say(f"the topic {settings.topic}")
    broker = load(
        KafkaSettings,
        kafka_bootstrap=f"{LOOPBACK}:{settings.kafka_port}",
        kafka_security_protocol="PLAINTEXT",
        topic=settings.topic,
    )
    kafka_topic.ensure_topic(broker, settings.partitions, replicas=1)
    kafka_topic.use_brokers_time(broker)
