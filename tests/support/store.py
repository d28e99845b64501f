"""The S3-compatible store, as its container starts it."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pinwheel.install import tools
from pinwheel.install.progress import PlainProgress
from pinwheel.local.settings import LocalSettings
from pinwheel.server.prepare import make_bucket
from pinwheel.server.probe import answers
from tests.support.ports import free_port

START_SECONDS = 30.0
BUCKET = "lake"


def fetch(folder: Path, name: str) -> None:
    """Download what only servers need; one worker of the tests at a time."""
    with (folder / ".fetching").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tools.fetch([tool for tool in tools.server_tools(folder) if tool.folder.name == name], PlainProgress())


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """A running store with a bucket; yields the environment variables that its clients need."""
    settings = LocalSettings()
    fetch(settings.tools_dir, "s3")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    login = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": uuid4().hex}
    told = {
        "PINWHEEL_S3_PORT": str(port),
        "PINWHEEL_S3_DIR": str(folder),
        "PINWHEEL_S3_JARS_DIR": str(settings.tools_dir / "jars" / "s3"),
    }
    process = subprocess.Popen([sys.executable, "-m", "pinwheel.server.s3"], env={**os.environ, **login, **told})
    clients = {**login, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            assert process.poll() is None, "the store has ended"
            assert time.monotonic() < deadline, "the store does not answer"
            time.sleep(0.1)
        make_bucket(BUCKET, clients)
        yield clients
    finally:
        process.terminate()
        process.wait(20)
