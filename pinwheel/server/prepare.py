"""Prepares the servers, as `make run` prepares the embedded stack: database, users, tables, topic, bucket.

Idempotent: it runs before each start.
"""

import os
from collections.abc import Callable, Mapping

from pinwheel.clients import grants, kafka_topic, memsql, migrations
from pinwheel.core.errors import MissingPartError, SettingError
from pinwheel.server.settings import PrepareSettings

Say = Callable[[str], None]


def prepare(settings: PrepareSettings, demo: bool, say: Say) -> None:
    """Create what is missing; with ``demo`` also the generated brands' names.

    Raises:
        SettingError: a role has no password.
        MemsqlError, MissingPartError: a server refused or did not answer.
    """
    passwords = _passwords(settings)
    say(f"database {settings.memsql_database} and its users")
    database, engine = settings.memsql_database, settings.memsql_engine
    with _administrator(settings) as connection:
        grants.make_users(connection, database, engine=engine, host=grants.ANY_HOST, passwords=passwords)
        say(f"tables: {', '.join(migrations.apply(settings)) or 'up to date'}")
        grants.grant_tables(connection, database, engine=engine, host=grants.ANY_HOST)
    if demo:
        _save_brands(settings)
    say(f"topic {settings.topic}")
    kafka_topic.ensure_topic(settings, settings.topic_partitions, settings.topic_replicas)
    if kafka_topic.has_brokers_time(settings) is False:
        say("topic keeps the times of its producers; docs/deploy.md says what that costs")
    if settings.lake_uri.startswith("s3://"):
        bucket = settings.lake_uri.removeprefix("s3://").partition("/")[0]
        say(f"bucket {bucket}")
        make_bucket(bucket, os.environ)


def _passwords(settings: PrepareSettings) -> dict[str, str]:
    given = {role: getattr(settings, f"{role}_memsql_password").get_secret_value() for role in grants.ROLES}
    missing = [f"PINWHEEL_{role.upper()}_MEMSQL_PASSWORD" for role, password in given.items() if not password]
    if missing:
        raise SettingError(f"{', '.join(missing)} must be set: a database user needs a password")
    return given


def _administrator(settings: PrepareSettings) -> memsql.Connection:
    """A connection that works before our database exists."""
    return memsql.connect(settings.model_copy(update={"memsql_database": "information_schema"}))


def _save_brands(settings: PrepareSettings) -> None:
    from pinwheel.core.settings import load
    from pinwheel.generate.catalogue import Catalogue, save_brands
    from pinwheel.generate.settings import CatalogueSettings

    save_brands(Catalogue(load(CatalogueSettings).catalogue_seed), settings)


def make_bucket(name: str, environment: Mapping[str, str]) -> None:
    """Create the bucket if it does not exist.

    Raises:
        MissingPartError: the store refused or did not answer.
    """
    from pyarrow.fs import S3FileSystem

    try:
        store = S3FileSystem(
            access_key=environment["AWS_ACCESS_KEY_ID"],
            secret_key=environment["AWS_SECRET_ACCESS_KEY"],
            region=environment.get("AWS_REGION", "us-east-1"),
            endpoint_override=environment.get("AWS_ENDPOINT_URL"),
            allow_bucket_creation=True,
        )
        store.create_dir(name)
    except KeyError as error:
        raise SettingError(f"{error.args[0]} must be set for PINWHEEL_LAKE_URI=s3://…") from None
    except OSError as error:
        raise MissingPartError(f"bucket {name} could not be created at AWS_ENDPOINT_URL: {error}") from error
