"""The tests' database, emptied."""

from pinwheel.clients import memsql
from pinwheel.core.settings import MemsqlSettings


def empty_tables(settings: MemsqlSettings) -> None:
    keep = {"merge_locks", "alembic_version", "schema_lock", "clock_hours", "view_columns"}
    connection = memsql.connect(settings)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        for row in cursor.fetchall():
            name, _ = row.values()
            if name not in keep:
                cursor.execute(f"DELETE FROM {name}")
        connection.commit()
