"""The session of Spark jobs that read or write the lake through Delta for Spark."""

from pathlib import Path

from pyspark.sql import SparkSession

OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # As the stream writes. Spark's own INT96 loses the years before 1677, and delta-rs can't read them.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # The defaults are 50 and 200.
    "spark.databricks.delta.snapshotPartitions": "8",
    "spark.sql.shuffle.partitions": "32",
}


def session(name: str, options: dict[str, str]) -> SparkSession:
    """The Spark session; master, memory and jars come from spark-submit."""
    builder = SparkSession.builder.appName(f"pinwheel-{name}")
    for key, value in (OPTIONS | options).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def spark_uri(uri: str) -> str:
    """The lake's address as Spark takes it."""
    return uri.replace("s3://", "s3a://", 1) if "://" in uri else str(Path(uri).resolve())
