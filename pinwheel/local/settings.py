"""Settings of the embedded stack."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from pinwheel.core.connections import PREFIX
from pinwheel.core.settings import Port, _Settings

ROOT = Path(__file__).resolve().parents[2]  # the repository, with dags/, spark_jobs/ and sql/


class LocalSettings(_Settings):
    """Ports, folders and amounts of the embedded stack; paths are relative to the repository unless absolute."""

    state_dir: Path = Path(".pinwheel")  # all state; `make clean` removes it
    stack: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")] = "stack"  # tests run a second one
    kafka_port: Port = 19092  # not the usual port: a real broker may already use it
    kafka_controller_port: Port = 19093  # next to it; only the broker itself uses it
    memsql_port: Port = 13306  # not 3306: a real server may already use it
    pin_api_port: Port = 18090  # not 8090, for the same reason
    airflow_port: Port = 18080  # not 8080, for the same reason
    topic: str = "engagement.events"  # created if it is missing
    partitions: Annotated[int, Field(ge=1, le=1000)] = 4  # two per core on the reference machine; a topic can only grow
    memsql_database: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")] = "pinwheel"  # created if it is missing
    catalogue_seed: Annotated[int, Field(ge=0)] = 2015  # the same brands, pins and people in every run
    demo_rate: Annotated[float, Field(gt=0)] = 100.0  # events/s of `make run`: leaves a laptop usable
    demo_backfill: Annotated[int, Field(ge=0)] = 20_000  # events sent at the first start, so that reports have a past
    demo_backfill_hours: Annotated[float, Field(gt=0)] = 6.0  # a few hours give the rollups something to show
    start_seconds: Annotated[float, Field(gt=0)] = 120.0  # how long a part may take to become ready
    stop_seconds: Annotated[float, Field(gt=0)] = 30.0  # SIGTERM to SIGKILL of each part
    min_free_gb: Annotated[float, Field(ge=0)] = 3.0  # tools 1.5 GB, a day of the demo 1 GB, room to compact

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: Any, env_settings: Any, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """No Airflow connection: they name servers that are not the stack's."""
        return init_settings, env_settings

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return ROOT / value

    @property
    def tools_dir(self) -> Path:
        """Downloaded programs, shared by all stacks."""
        return self.state_dir / "tools"

    @property
    def stack_dir(self) -> Path:
        """State of this stack: data, logs, pids, secrets."""
        return self.state_dir / self.stack

    @property
    def logs_dir(self) -> Path:
        """One file per program."""
        return self.stack_dir / "logs"

    @property
    def airflow_dir(self) -> Path:
        """Airflow's home."""
        return self.stack_dir / "airflow"

    @property
    def driver_lock_path(self) -> Path:
        """The lock file that has the driver's pid."""
        return self.stack_dir / "stream" / "driver.lock"

    @property
    def airflow_url(self) -> str:
        """Where a person opens Airflow."""
        return f"http://127.0.0.1:{self.airflow_port}"

    def port_settings(self) -> dict[str, int]:
        """Every port that the stack listens on, by its setting's environment variable."""
        names = ("kafka_port", "kafka_controller_port", "memsql_port", "pin_api_port", "airflow_port")
        return {f"{PREFIX}{name.upper()}": getattr(self, name) for name in names}
