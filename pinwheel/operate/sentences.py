"""A measure of the pipeline's health as a sentence, with its value, what is allowed, and their units."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pinwheel.core.contract import ROLLUPS
from pinwheel.core.words import duration, percent

SOURCES = {
    "kafka": "Kafka does not answer",
    "lake": "The lake can't be read",
    "memsql": "MemSQL does not answer, or refuses the login",
    "driver": "The files of the stream's supervisor can't be read",
    "disk": "The lake's disk can't be read",
}


class Kind(NamedTuple):
    """The words for a kind of measure: a sentence with {subject} and {value}, one without value, and its unit."""

    is_: str
    unknown: str
    words: Callable[[float], str] = "{:,.0f}".format


KINDS: Mapping[str, Kind] = {
    "driver_down": Kind("The stream's driver does not run", "Whether the stream's driver runs is unknown"),
    "lag_records": Kind(
        "{value} records of {subject} wait to be landed", "How many records of {subject} wait to be landed is unknown"
    ),
    "open_batch_seconds": Kind(
        "Nothing has landed for {value}, while records wait", "When something last landed is unknown", duration
    ),
    "lake_behind_seconds": Kind(
        "The lake's newest event is {value} behind Kafka's", "The age of the lake's newest event is unknown", duration
    ),
    "merged_behind_seconds": Kind(
        "The newest event in {subject} is {value} behind Kafka's",
        "The age of the newest event in {subject} is unknown",
        duration,
    ),
    "stopped_seconds": Kind(
        "The stream was stopped on purpose {value} ago", "Since when the stream is stopped is unknown", duration
    ),
    "held_slices": Kind("A slice of {subject} is held", "Whether a slice of {subject} is held is unknown"),
    "dead_letter_share": Kind(
        "{value} of the records that landed last are dead letters", "The share of dead letters is unknown", percent
    ),
    "pending_pins": Kind("{value} rows wait for their pin", "How many rows wait for their pin is unknown"),
    "alerts_undelivered": Kind("Messages about alerts that are {subject}: {value}", "Whether alerts arrive is unknown"),
    "small_files": Kind(
        "The fullest past day of the lake has {value} small files", "The number of small files is unknown"
    ),
    "disk_used_share": Kind("The lake's disk is {value} full", "How full the lake's disk is is unknown", percent),
}
YES_OR_NO = frozenset(
    {"driver_down", "stopped_seconds", "held_slices", "alerts_undelivered"}
)  # any is too many: no limit to name


def sentence(measure: str, subject: str, value: float | None, limit: float | None) -> str:
    """The sentence, without a full stop; ``value`` None: unknown. ``limit`` None: nothing is said about it."""
    if measure == "source_down":
        return SOURCES[subject]
    kind, name = KINDS[measure], _named(measure, subject)
    if value is None:
        return kind.unknown.format(subject=name)
    said = kind.is_.format(subject=name, value=kind.words(value))
    return said if limit is None or measure in YES_OR_NO else f"{said}; allowed are {kind.words(limit)}"


def _named(measure: str, subject: str) -> str:
    if measure != "merged_behind_seconds":
        return subject
    return "the rollups" if subject == ROLLUPS else f"the table {subject}"
