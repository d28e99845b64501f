"""The places that an erasure can't reach: for the receipt."""

from pinwheel.clients import kafka_topic
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import EraseSettings

DAY_MS = 86_400_000


def outside(settings: EraseSettings) -> list[str]:
    """A line for each place."""
    return [
        f"Kafka: records of the person stay in the topic {settings.topic} {_kept(settings)}; they can't land again",
        "mails and alerts that were sent: with those who got them",
        "answers of the Pin API: the system that it belongs to; they are stripped of the person when they come",
        "backups, and the free space inside the files of databases and disks: until it is overwritten",
        "the shell's history, if the erasure was started by a command",
    ]


def _kept(settings: EraseSettings) -> str:
    try:
        kept_ms = kafka_topic.retention_ms(settings)
    except MissingPartError:
        return "as long as it keeps them (Kafka did not answer)"
    return (
        "for ever: it has no limit of age" if kept_ms < 0 else f"until {kept_ms / DAY_MS:.1f} days old (retention.ms)"
    )
