"""The topic itself: it is created, and its options are read and set."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType

from pinwheel.clients.kafka import REQUEST_SECONDS, admin_client
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings

TOPIC_SECONDS = 15.0
TIME_CONFIG = "message.timestamp.type"
BROKERS_TIME = "LogAppendTime"  # the broker stamps records, not their producers (CreateTime): one clock, and right


def ensure_topic(settings: KafkaSettings, partitions: int, replicas: int) -> None:
    """Create the topic with the broker's time, or add partitions up to that number; they are never removed. Idempotent.

    An existing topic keeps its time: other readers of it may need the producers'.

    Raises:
        MissingPartError: the broker refuses or does not answer.
    """
    admin = admin_client(settings)
    try:
        known = admin.list_topics(timeout=TOPIC_SECONDS).topics.get(settings.topic)
        if known is None:
            new = NewTopic(settings.topic, partitions, replicas, config={TIME_CONFIG: BROKERS_TIME})
            asked = admin.create_topics([new])
        elif len(known.partitions) < partitions:
            asked = admin.create_partitions([NewPartitions(settings.topic, partitions)])
        else:
            return
        for future in asked.values():
            future.result(TOPIC_SECONDS)
    except KafkaException as error:
        raise MissingPartError(f"Kafka could not create the topic PINWHEEL_TOPIC={settings.topic}: {error}") from error


def use_brokers_time(settings: KafkaSettings) -> None:
    """Let the broker stamp the topic's records from now on; those that it holds keep their times. Idempotent.

    Raises:
        MissingPartError: the broker refuses or does not answer.
    """
    admin = admin_client(settings)
    entry = ConfigEntry(TIME_CONFIG, BROKERS_TIME, incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ResourceType.TOPIC, settings.topic, incremental_configs=[entry])
    try:
        for future in admin.incremental_alter_configs([topic]).values():
            future.result(TOPIC_SECONDS)
    except KafkaException as error:
        raise MissingPartError(f"Kafka could not change PINWHEEL_TOPIC={settings.topic}: {error}") from error


def has_brokers_time(settings: KafkaSettings) -> bool | None:
    """Whether the broker stamps the topic's records; None: it does not say, or we may not ask."""
    try:
        return _configured(settings, TIME_CONFIG) == BROKERS_TIME
    except (KafkaException, TimeoutError):
        return None


def retention_ms(settings: KafkaSettings) -> int:
    """How long the topic keeps records, in milliseconds; -1: it has no limit of age.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    try:
        return int(_configured(settings, "retention.ms"))
    except (KafkaException, TimeoutError) as error:
        raise MissingPartError(
            f"Kafka does not say how long it keeps PINWHEEL_TOPIC={settings.topic}: {error}"
        ) from error


def _configured(settings: KafkaSettings, name: str) -> str:
    """An option of the topic."""
    admin = admin_client(settings)
    topic = ConfigResource(ResourceType.TOPIC, settings.topic)
    asked = admin.describe_configs([topic], request_timeout=REQUEST_SECONDS)
    return str(asked[topic].result(REQUEST_SECONDS)[name].value)
