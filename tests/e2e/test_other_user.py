"""Another user of the machine gets nothing of the running stack: no file, no process, and no answer from a port."""

import os
from pathlib import Path

import pytest

from pinwheel.local.processes import marked
from pinwheel.local.stack import Stack
from tests.support import other_user
from tests.support.other_user import as_nobody

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")

OF_AIRFLOW = (
    *("/api/v2/dags", "/api/v2/connections", "/api/v2/variables", "/api/v2/eventLogs", "/ui/config"),
    *("/pinwheel/api/me", "/pinwheel/api/health/flow", "/pinwheel/api/explore", "/pinwheel/api/brands/1"),
    *("/pinwheel/openapi.json", "/pinwheel/static/pinwheel.js", "/pinwheel-metrics/"),
    *("/execution/variables/pinwheel_stream", "/execution/connections/pinwheel_spark"),
)


def test_no_file_is_open_to_another_user(running_stack: Stack) -> None:
    folder = running_stack.settings.stack_dir
    paths = [folder, *folder.rglob("*")]
    assert len(paths) > 100
    assert as_nobody(other_user.files, paths) == []


def test_no_process_is_open_to_another_user(running_stack: Stack) -> None:
    pids = [process.pid for process in marked(running_stack.settings.stack_dir)]
    assert len(pids) > 8
    assert as_nobody(other_user.processes, pids) == []


def test_the_servers_let_another_user_in_without_a_login_nowhere(running_stack: Stack) -> None:
    settings = running_stack.settings
    assert as_nobody(other_user.database, settings.memsql_port) == []
    assert as_nobody(other_user.broker, settings.kafka_port) == []
    assert as_nobody(other_user.pages, settings.airflow_port, OF_AIRFLOW) == []
    assert as_nobody(other_user.pages, settings.pin_api_port, ("/pins/1", "/pins/batch", "/admin/faults")) == []


def test_the_attempts_succeed_where_somebody_left_a_door_open(tmp_path: Path) -> None:
    """Or the tests above would prove nothing."""
    door = Path("/tmp") / f"pinwheel-door-{os.getpid()}"  # tmp_path is closed to others
    door.write_text("open")
    door.chmod(0o644)
    try:
        assert as_nobody(other_user.files, [door, tmp_path]) == [f"{door}: read"]
    finally:
        door.unlink()
