"""The datasets of the flow by name: topic, lake, reporting tables, rollups, reports, verdicts.

Airflow's assets are made of them, ``Asset(*LAKE)``, and so are OpenLineage's datasets. The URIs say what a dataset is,
not where: servers and folders are settings, which are not read when a Dag file is parsed. Imports the contract alone.
"""

from typing import NamedTuple

from pinwheel.core.contract import TABLES as CONTRACT


class Dataset(NamedTuple):
    """An asset's name and URI."""

    name: str
    uri: str


TOPIC = Dataset("pinwheel_topic", "pinwheel://topic")
LAKE = Dataset("pinwheel_lake", "pinwheel://lake/events")
TABLES = {table: Dataset(f"pinwheel_{table}", f"memsql://pinwheel/{table}") for table in CONTRACT}
OF_BRANDS = [TABLES[table] for table, kind in CONTRACT.items() if kind.has_pin]  # their rows name a brand
ROLLUPS = Dataset("pinwheel_rollups", "memsql://pinwheel/rollups")
REPORTS = Dataset("pinwheel_reports", "pinwheel://reports")
# One per table, so that a reader of repins need not wait for the others.
VERDICTS = {table: Dataset(f"pinwheel_quality_{table}", f"memsql://pinwheel/quality/{table}") for table in CONTRACT}
