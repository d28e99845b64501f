"""The markers, worker and turn of a test, by the fixtures that it uses directly or not: no marker is set by hand."""

from collections.abc import Collection

import pytest

FAST = "fast"  # of a test that uses none of these
RUNNING = "running_stack"
WITH_RUNNING_STACK = ("tests/e2e/", "tests/faults/")  # the folders of its tests
MARKERS = {
    "stack_with_kafka": "kafka",
    "stack_with_memsql": "memsql",
    RUNNING: "e2e",
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


def used(item: pytest.Item) -> set[str]:
    """The fixtures of a test, direct and indirect; the place that it is parametrised with counts as one."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return {*getattr(item, "fixturenames", ()), str(params.get("place"))}


def group(nodeid: str) -> str:
    """Tests of one group run on one worker, in order: those of the running stack, and those of any other file."""
    file = nodeid.partition("::")[0]
    return RUNNING if file.startswith(WITH_RUNNING_STACK) else file


def turn(item: pytest.Item) -> int:
    """The longest groups come first, so that two workers end at about the same time."""
    needed = markers(used(item))
    if RUNNING in used(item):
        return 0
    if needed & {"spark", "s3"}:
        return 1
    if "memsql" in needed:
        return 2
    return 4 if FAST in needed else 3
