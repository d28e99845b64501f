"""Tests are marked by the fixtures that they use, directly or not: no marker is set by hand."""

from collections.abc import Collection

FAST = "fast"  # of a test that uses none of these
MARKERS = {
    "stack_with_kafka": "kafka",
    "stack_with_memsql": "memsql",
    "running_stack": "e2e",
    "breakable_stack": "faults",
    "bucket": "s3",
    "store": "s3",
    "airflow_home": "airflow",
    "browser": "browser",
    "starts_jvm": "spark",
    "starts_memsql": "memsql",
    "starts_stacks": "e2e",
}


def markers(fixtures: Collection[str]) -> set[str]:
    """The markers of a test that uses these."""
    return {MARKERS[name] for name in fixtures if name in MARKERS} or {FAST}
