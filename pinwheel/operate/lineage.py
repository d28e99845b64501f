"""OpenLineage: which datasets a task reads and writes, and which column comes from which.

Airflow's provider sends the events of runs and tasks where a transport is configured, and nothing without one. It can't
tell from our assets where the data is, so this listener adds one event per task, with the datasets of its inlets and
outlets. A backend that does not answer delays a task by ``SECONDS`` at most.

Every process of Airflow loads this module, so it imports settings, which takes 0.07 s, only where it needs them.
"""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from pinwheel.core.contract import HOUR_COLUMN, LAKE_COLUMNS, ROLLUP_TABLES, TABLES, Column, EventType
from pinwheel.core.contract import reporting_columns as columns_of
from pinwheel.core.datasets import LAKE, REPORTS, ROLLUPS, TOPIC, VERDICTS
from pinwheel.core.datasets import TABLES as TABLE_ASSETS

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import column_lineage_dataset

log = logging.getLogger(__name__)

SECONDS = 5.0
TABLE_OF = {dataset.name: table for table, dataset in TABLE_ASSETS.items()}
VERDICT_NAMES = {dataset.name for dataset in VERDICTS.values()}


@hookimpl
def on_task_instance_running(previous_state: Any, task_instance: Any) -> None:
    """Airflow calls it in the task's process, before the task's code."""
    from airflow.providers.openlineage.conf import is_disabled

    if is_disabled():
        return
    thread = threading.Thread(target=emit, args=[task_instance], name="lineage", daemon=True)
    thread.start()
    thread.join(SECONDS)


def emit(task_instance: Any) -> None:
    """Send the datasets of a task, if it has any. Never raises: a task must not fail for its lineage."""
    from airflow.providers.openlineage.api import emit_dataset_lineage

    try:
        inputs = [found for asset in task_instance.task.inlets for found in datasets(asset.name)]
        outputs = [found for asset in task_instance.task.outlets for found in datasets(asset.name)]
        if inputs or outputs:
            emit_dataset_lineage(inputs=inputs, outputs=outputs, task_instance=task_instance)
    except Exception as error:  # any error, such as a setting that is invalid: the task itself reports that
        log.warning("no lineage sent: %s", error)


def datasets(name: str) -> "list[Dataset]":
    """An asset's datasets, by OpenLineage's naming; none for assets that are not Pinwheel's."""
    from pinwheel.core.settings import KafkaSettings, ReportsFolderSettings, load

    if name == TOPIC.name:
        kafka = load(KafkaSettings)
        return [_dataset(name, f"kafka://{kafka.kafka_bootstrap.partition(',')[0]}", kafka.topic)]
    if name == LAKE.name:
        return [_lake()]
    if name == REPORTS.name:
        return [_files(name, load(ReportsFolderSettings).reports_uri)]
    if name in TABLE_OF:
        kind = TABLES[TABLE_OF[name]]
        facets = {"schema": _schema(columns_of(kind)), "columnLineage": column_lineage(kind, _lake())}
        return [_table(name, kind.table, **facets)]
    tables = ROLLUP_TABLES if name == ROLLUPS.name else ("dq_results",) if name in VERDICT_NAMES else ()
    return [_table(name, table) for table in tables]


def column_lineage(kind: EventType, lake: "Dataset") -> "column_lineage_dataset.ColumnLineageDatasetFacet":
    """Each column of a reporting table with the lake's column that it comes from, by the contract."""
    from openlineage.client.facet_v2 import column_lineage_dataset as facet

    def read(column: str, how: str, kind_of_use: str = "DIRECT") -> facet.InputField:
        used = facet.Transformation(type=kind_of_use, subtype=how)
        return facet.InputField(lake.namespace, lake.name, column, transformations=[used])

    fields = {c.name: read(c.name, "IDENTITY") for c in columns_of(kind) if c.name != HOUR_COLUMN}
    fields[HOUR_COLUMN] = read("occurred_at", "TRANSFORMATION")
    return facet.ColumnLineageDatasetFacet(
        fields={name: facet.Fields(inputFields=[found]) for name, found in fields.items()},
        dataset=[read("event_type", "FILTER", "INDIRECT")],
    )


def _lake() -> "Dataset":
    from pinwheel.core.settings import LakeSettings, load

    return _files(LAKE.name, load(LakeSettings).events_uri, schema=_schema(LAKE_COLUMNS))


def _files(asset: str, uri: str, **facets: Any) -> "Dataset":
    scheme, _, place = uri.rpartition("://")
    bucket, _, path = place.partition("/")
    if scheme:
        return _dataset(asset, f"{scheme}://{bucket}", path, **facets)
    return _dataset(asset, "file", str(Path(uri).absolute()), **facets)


def _table(asset: str, table: str, **facets: Any) -> "Dataset":
    from pinwheel.core.settings import MemsqlSettings, load

    memsql = load(MemsqlSettings)
    namespace = f"mysql://{memsql.memsql_host}:{memsql.memsql_port}"
    return _dataset(asset, namespace, f"{memsql.memsql_database}.{table}", **facets)


def _dataset(asset: str, namespace: str, name: str, **facets: Any) -> "Dataset":
    """With Airflow's name for it as another name."""
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import symlinks_dataset as facet

    other = facet.Identifier(namespace="airflow", name=asset, type="ASSET")
    return Dataset(namespace, name, facets={"symlinks": facet.SymlinksDatasetFacet([other]), **facets})


def _schema(columns: tuple[Column, ...]) -> Any:
    from openlineage.client.facet_v2 import schema_dataset as facet

    fields = [facet.SchemaDatasetFacetFields(c.name, type=str(c.type), description=c.meaning) for c in columns]
    return facet.SchemaDatasetFacet(fields=fields)
