"""Baseline (b): Spark as in tutorials: foreachBatch, a Python UDF per row, pins read by JDBC, JDBC append.

    spark-submit bench/baselines/tutorial_spark.py --database baseline_tutorial --start '{"0": 0, "1": 0}'

Reads up to the current end of the topic, then makes the rollups. The pins are in a table that has been filled before.
Spark's state drops duplicates, as the tables have no upsert. Server, topic and logins are Pinwheel's settings.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import maxminddb
import pymysql
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from pinwheel.clients import kafka
from pinwheel.core.settings import GeoSettings, KafkaSettings, MemsqlSettings, load

HERE = Path(__file__).parent
BATCH = 250_000  # records of a micro-batch
SCHEMA = (
    "event_id STRING, event_type STRING, occurred_at STRING, user_id BIGINT, ip STRING, pin_id BIGINT, "
    "board_id BIGINT, text STRING, client STRING, pin STRUCT<pin_id: BIGINT, creator_id: BIGINT, board_id: BIGINT, "
    "brand_id: BIGINT, category: STRING, title: STRING, description: STRING, link: STRING, image_url: STRING, "
    "created_at: STRING>"
)
PLACE = StructType(
    [
        *(StructField(name, StringType()) for name in ("country_code", "region", "city")),
        *(StructField(name, DoubleType()) for name in ("latitude", "longitude")),
    ]
)
GOOD = """
    octet_length(value) <= 65536 AND is_valid_utf8(value) AND try_parse_json(CAST(value AS STRING)) IS NOT NULL
    AND startswith(CAST(value AS STRING), '{')
    AND NOT contains(CAST(value AS STRING), '}{') -- of two objects Spark's JSON functions read the first
    AND length(event_id) BETWEEN 1 AND 64 AND user_id IS NOT NULL
    AND at BETWEEN received - INTERVAL 30 DAYS AND received + INTERVAL 10 MINUTES
    AND CASE event_type
        WHEN 'pin' THEN pin.pin_id IS NOT NULL AND pin.creator_id IS NOT NULL AND pin.board_id IS NOT NULL
        WHEN 'repin' THEN pin_id IS NOT NULL AND board_id IS NOT NULL
        WHEN 'comment' THEN pin_id IS NOT NULL AND length(text) <= 5000
        WHEN 'login' THEN client IN ('ios', 'android', 'web')
        ELSE false
    END
"""
COMMON = ("event_id", "at AS occurred_at", "user_id")
PLACED = tuple(f"place.{field.name}" for field in PLACE)
PINNED = ("creator_id", "brand_id", "category")
COLUMNS = {
    "pin": (*COMMON, "pin.*", *PLACED),
    "repin": (*COMMON, "pin_id", "board_id", *PINNED, *PLACED),
    "comment": (*COMMON, "pin_id", "text", *PINNED, *PLACED),
    "login": (*COMMON, "client", *PLACED),
}


def locator(paths: tuple[str, str]) -> Any:
    """The UDF that locates an address; each task opens the files at its first row."""
    opened: list[Any] = []

    def locate(ip: str | None) -> tuple[Any, ...] | None:
        opened.extend(() if opened else map(maxminddb.open_database, paths))
        try:
            found = opened[":" in (ip or "")].get(ip or "")
        except ValueError:
            return None
        if not found:
            return None
        named = (found.get(name) or None for name in ("country_code", "state1", "city"))
        return (*named, *(None if (d := found.get(n)) is None else round(d, 5) for n in ("latitude", "longitude")))

    return F.udf(locate, PLACE)


def events(spark: SparkSession, broker: KafkaSettings, start: dict[str, int]) -> DataFrame:
    """The events of the topic, located, each once."""
    records = (
        spark.readStream.format("kafka")
        .options(**kafka.spark_options(broker))
        .option("subscribe", broker.topic)
        .option("startingOffsets", json.dumps({broker.topic: start}))
        .option("maxOffsetsPerTrigger", BATCH)
        .load()
    )
    parsed = records.select(
        "value",
        F.col("timestamp").alias("received"),
        F.from_json(F.col("value").cast("string"), SCHEMA).alias("event"),
    ).select("value", "received", "event.*")
    timed = parsed.withColumn("at", F.try_to_timestamp("occurred_at"))
    geo = load(GeoSettings)
    locate = locator((str(geo.geo_ipv4_path.resolve()), str(geo.geo_ipv6_path.resolve())))
    return timed.where(GOOD).drop("value").withColumn("place", locate("ip")).dropDuplicates(["event_id"])


def writer(url: str, login: dict[str, str]) -> Any:
    """The function that writes each micro-batch."""

    def write(batch: DataFrame, _: int) -> None:
        spark = batch.sparkSession
        pins = spark.read.jdbc(url, "pins_catalogue", properties=login).withColumnRenamed("pin_id", "known_pin_id")
        batch.persist()
        for kind, columns in COLUMNS.items():
            mine = batch.where(F.col("event_type") == kind)
            if kind in ("repin", "comment"):
                mine = mine.join(pins, mine.pin_id == pins.known_pin_id, how="left")
            rows = mine.selectExpr(*columns)
            if kind == "pin":
                rows = rows.withColumn("created_at", F.try_to_timestamp("created_at"))
            rows.write.jdbc(url, f"{kind}s", mode="append", properties=login)
        batch.unpersist()

    return write


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--start", required=True, help="next offset of each partition, JSON")
    given = parser.parse_args()
    memsql = load(MemsqlSettings)
    # Only for this scheme Spark quotes names as MySQL does.
    url = f"jdbc:mysql://{memsql.memsql_host}:{memsql.memsql_port}/{given.database}?permitMysqlScheme&timezone=UTC"
    password = memsql.memsql_password.get_secret_value()
    login = {"user": memsql.memsql_user, "password": password, "driver": "org.mariadb.jdbc.Driver"}
    spark = SparkSession.builder.appName("tutorial").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    with tempfile.TemporaryDirectory() as checkpoint:
        found = events(spark, load(KafkaSettings), json.loads(given.start))
        query = found.writeStream.foreachBatch(writer(url, login)).option("checkpointLocation", checkpoint)
        query.trigger(availableNow=True).start().awaitTermination()
    spark.stop()
    connection = pymysql.connect(
        host=memsql.memsql_host,
        port=memsql.memsql_port,
        user=memsql.memsql_user,
        password=password,
        database=given.database,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        for sql in (HERE / "rollups.sql").read_text().split(";\n"):
            if sql.strip():
                cursor.execute(sql)
    return 0


if __name__ == "__main__":
    sys.exit(main())
