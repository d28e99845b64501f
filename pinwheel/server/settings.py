"""Settings of the containers of docker-compose.yml that are not part of the pipeline."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from pinwheel.core.settings import KafkaSettings, LakeSettings, MemsqlSettings, Port, _Settings


class PrepareSettings(KafkaSettings, LakeSettings, MemsqlSettings):
    """The preparation of a Kafka, a database and a store (``pinwheel prepare``), as the database's administrator."""

    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 4  # as many tasks read in parallel; a topic can only grow
    topic_replicas: Annotated[int, Field(ge=1)] = 1  # there is one broker
    merge_memsql_password: SecretStr = SecretStr("")  # of pinwheel_merge; not set: refused
    stream_memsql_password: SecretStr = SecretStr("")  # of pinwheel_stream; not set: refused
    report_memsql_password: SecretStr = SecretStr("")  # of pinwheel_report; not set: refused
    analyst_memsql_password: SecretStr = SecretStr("")  # of pinwheel_analyst; not set: refused


class S3Settings(_Settings):
    """The S3-compatible store (``python -m pinwheel.server.s3``); its only user is given by ``AWS_*``."""

    s3_host: str = "127.0.0.1"  # a container has to set 0.0.0.0
    s3_port: Port = 18100  # not a usual port: a real store may already use it
    s3_dir: Path = Path(".pinwheel/s3")  # one folder per bucket
    s3_jars_dir: Path = Path(".pinwheel/tools/jars/s3")  # filled by `pinwheel tools --servers`
    s3_heap_megabytes: Annotated[int, Field(ge=64)] = 256  # the page cache does the work
