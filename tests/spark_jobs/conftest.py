"""One Spark session for the tests of the transforms."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def spark() -> Iterator[object]:
    from pyspark.sql import SparkSession

    from spark_jobs.stream_engagement import SESSION_OPTIONS

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)  # the Python workers import pinwheel
    builder = SparkSession.builder.master("local[2]").appName("tests")
    options = {**SESSION_OPTIONS, "spark.ui.enabled": "false", "spark.driver.memory": "1g"}
    options |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for key, value in options.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
