"""Settings of what the containers of docker-compose.yml run beside the pipeline."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from pinwheel.core.settings import KafkaSettings, LakeSettings, MemsqlSettings, Port, _Settings


class PrepareSettings(KafkaSettings, LakeSettings, MemsqlSettings):
    """The preparation of a Kafka, a database and a store (``pinwheel prepare``), as the database's administrator."""

    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 4  # as many tasks read at once; a topic only ever grows
    topic_replicas: Annotated[int, Field(ge=1)] = 1  # there is one broker
    merge_memsql_password: SecretStr = SecretStr("")  # of pinwheel_merge; not set: refused
    stream_memsql_password: SecretStr = SecretStr("")  # of pinwheel_stream; not set: refused
    report_memsql_password: SecretStr = SecretStr("")  # of pinwheel_report; not set: refused
    analyst_memsql_password: SecretStr = SecretStr("")  # of pinwheel_analyst; not set: refused


class S3Settings(_Settings):
    """The S3-compatible store (``python -m pinwheel.server.s3``); its one user is that of ``AWS_*``."""

    s3_host: str = "127.0.0.1"  # a container has to say 0.0.0.0
    s3_port: Port = 18100  # none of the usual ports: a person may have the real thing running
    s3_dir: Path = Path(".pinwheel/s3")  # a folder for each bucket
    s3_jars_dir: Path = Path(".pinwheel/tools/jars/s3")  # where `pinwheel tools --servers` puts them
    s3_heap_megabytes: Annotated[int, Field(ge=64)] = 256  # the page cache does the work
