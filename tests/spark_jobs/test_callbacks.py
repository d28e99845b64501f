"""The JVM's calls into our Python are taken from this user's processes alone."""

import os
import socket
import subprocess
import sys

import pytest

from spark_jobs.callbacks import is_ours

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
CALL = r"exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'c\np0\nno_such_method\ne\n' >&3; timeout 20 head -c 1 <&3"
STREAM = """
import os, signal, subprocess
from pyspark.sql import SparkSession
from spark_jobs.stopping import StopSwitch

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
stop = StopSwitch(spark)
call = {call!r}.replace("{{port}}", str(spark.sparkContext._gateway._callback_server.get_listening_port()))

def land(records, batch_id):
    if batch_id == 1:
        for user in (os.geteuid(), {nobody}):
            said = subprocess.run(["bash", "-c", call], user=user, cwd="/", capture_output=True, timeout=30).stdout
            print("user", user, "was answered", bool(said), flush=True)
    if batch_id == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    print("landed", batch_id, flush=True)

rows = spark.readStream.format("rate").load()
stop.wait(rows.writeStream.foreachBatch(stop.guard(land)).trigger(processingTime="500 milliseconds").start())
"""


@as_root
@pytest.mark.usefixtures("starts_jvm")
def test_another_user_s_call_is_refused_while_the_stream_goes_on() -> None:
    program = [sys.executable, "-c", STREAM.format(call=CALL, nobody=NOBODY)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = ["user 0 was answered True", f"user {NOBODY} was answered False"]
    assert done.stdout.splitlines() == ["landed 0", *answers, "landed 1", "landed 2", "landed 3"]


@pytest.fixture
def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize("prefix", ["", "::ffff:"], ids=["IPv4", "IPv4 by a socket of IPv6, as the JVM's"])
def test_our_own_connection_is_ours_while_it_is_open(listener: socket.socket, prefix: str) -> None:
    other = socket.create_connection((f"{prefix}127.0.0.1", listener.getsockname()[1]))
    accepted, _ = listener.accept()
    assert is_ours(accepted)
    other.close()
    assert not is_ours(accepted), "the kernel says that it is root's"


@as_root
def test_another_user_s_connection_is_not(listener: socket.socket) -> None:
    call = ["bash", "-c", CALL.format(port=listener.getsockname()[1])]
    with subprocess.Popen(call, user=NOBODY, cwd="/", stdout=subprocess.DEVNULL) as caller:
        accepted, _ = listener.accept()
        assert not is_ours(accepted)
        accepted.close()
        caller.wait(20)
