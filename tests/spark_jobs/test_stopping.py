"""A stop ends the stream between two batches, however long they take."""

import re
import subprocess
import sys

import pytest

SECONDS = 90  # for a JVM's start and end on a busy machine
SLOW_STREAM = """
import os, signal, time
from pyspark.sql import SparkSession
from spark_jobs.stopping import StopSwitch

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
stop = StopSwitch(spark)

def land(records, batch_id):
    print("begun", batch_id, flush=True)
    if batch_id == 1:
        os.kill(os.getpid(), signal.{signal})
    time.sleep(1.5)
    print("landed", batch_id, flush=True)

rows = spark.readStream.format("rate").load()
query = rows.writeStream.foreachBatch(stop.guard(land)).trigger(processingTime="{trigger}").start()
stop.wait(query)
print("stopped", flush=True)
"""


@pytest.mark.usefixtures("starts_jvm")
@pytest.mark.parametrize(
    ("name", "trigger"),
    [("SIGTERM", "500 milliseconds"), ("SIGINT", "3 seconds")],
    ids=["each batch overtakes the trigger", "the stream rests between two"],
)
def test_the_batch_in_hand_is_the_last(name: str, trigger: str) -> None:
    program = [sys.executable, "-c", SLOW_STREAM.format(signal=name, trigger=trigger)]

    done = subprocess.run(program, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    said = re.findall(r"^\w+ ?\d*$", done.stdout, re.MULTILINE)
    assert " ".join(said) == "begun 0 landed 0 begun 1 landed 1 stopped"
