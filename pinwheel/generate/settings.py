"""Settings of the generator and of the Pin API stand-in."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pinwheel.core.connections import PREFIX
from pinwheel.core.settings import GeoSettings, KafkaSettings, PinTokenSettings, Port

Count = Annotated[int, Field(ge=0)]
# The stream refuses events older than 30 days; late events are up to 2 days older than the history's first hour.
MAX_BACKFILL_HOURS = 27 * 24


class CatalogueSettings(BaseSettings):
    """Which made-up world; the generator and the Pin API have to agree on it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    catalogue_seed: Count = 2015


class PinApiSettings(CatalogueSettings, PinTokenSettings):
    """The Pin API stand-in (``python -m pinwheel.generate.pin_api``)."""

    pin_api_host: str = "127.0.0.1"  # it has no TLS; use 0.0.0.0 only inside a container's own network
    pin_api_port: Port = 18090
    pin_api_latency_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0  # no delay; raise it to simulate a slow API
    pin_api_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of calls that answer 503


class ProduceSettings(CatalogueSettings, KafkaSettings, GeoSettings):
    """The generator (``python -m pinwheel.generate.produce``)."""

    produce_rate: Annotated[float, Field(ge=0)] = 1000.0  # live events a second; 0 is as fast as Kafka takes them
    produce_count: Count = 0  # total events; 0 is until stopped
    produce_seed: Count = 1
    produce_backfill_hours: Annotated[float, Field(ge=0, le=MAX_BACKFILL_HOURS)] = 0.0  # history to send first
    produce_backfill_count: Count = 0  # how many events are history; 0 is produce_count
    produce_truth_dir: Path | None = None  # where to record the sent events; none: nowhere
    produce_defect: str = ""  # one of pinwheel.generate.defects, applied to live events; none: all are valid
    produce_defect_share: Annotated[float, Field(ge=0, le=1)] | None = None  # of the events; none: the defect's default
    produce_flush_seconds: Annotated[float, Field(gt=0)] = 60.0  # how long to wait for Kafka at the end

    @model_validator(mode="after")
    def _history_has_a_size(self) -> Self:
        if self.produce_backfill_hours and not (self.produce_backfill_count or self.produce_count):
            raise ValueError(
                "history (PINWHEEL_PRODUCE_BACKFILL_HOURS) needs a size: PINWHEEL_PRODUCE_BACKFILL_COUNT or _COUNT"
            )
        return self

    @model_validator(mode="after")
    def _defect_is_known(self) -> Self:
        from pinwheel.generate.defects import DEFECTS  # not at the top: it imports numpy, which few users need

        if self.produce_defect and self.produce_defect not in DEFECTS:
            raise ValueError(f"PINWHEEL_PRODUCE_DEFECT={self.produce_defect!r} must be one of {', '.join(DEFECTS)}")
        if self.produce_defect and self.produce_truth_dir:
            raise ValueError("PINWHEEL_PRODUCE_TRUTH_DIR records good events: it can't go with PINWHEEL_PRODUCE_DEFECT")
        return self

    @property
    def history(self) -> int:
        """Number of events that are spread over the past hours."""
        if not self.produce_backfill_hours:
            return 0
        if not self.produce_count:
            return self.produce_backfill_count
        return min(self.produce_backfill_count or self.produce_count, self.produce_count)
