"""check_quality in the running Airflow: a clean hour passes, a changed one is red and alerts, a restored one passes.

The books of the whole stack balance, whatever other tests have sent.
"""

import json
import subprocess
from datetime import UTC, datetime, timedelta

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.local import environment
from pinwheel.local.stack import Stack
from tests.support.airflow_client import Airflow
from tests.support.oracle import Oracle
from tests.support.programs import PRODUCE

SEED = 21  # used by no other test on the running stack: event ids begin with it
CHANGE = "UPDATE logins SET client = IF(client = 'web', 'ios', 'web') WHERE event_id = %s"


def change(stack: Stack, event_id: str) -> None:
    """Change a row in SQL, which no user may do; a second call restores a row that was web or ios."""
    connection = memsql.connect(environment.memsql(stack.settings, stack.credentials, "admin"))
    with connection, connection.cursor() as cursor:
        assert cursor.execute(CHANGE, (event_id,)) == 1
        connection.commit()


def test_an_hour_passes_until_a_row_is_changed_and_after_it_is_mended(running_stack: Stack) -> None:
    oracle, airflow = Oracle(running_stack), Airflow(running_stack)
    words = ("--rate", "0", "--count", "6000", "--backfill-hours", "3", "--seed", str(SEED))
    subprocess.run([*PRODUCE, *words], check=True, capture_output=True)
    oracle.settle()
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    asked = {"from_hour": f"{hour:%Y-%m-%dT%H:%M}", "to_hour": f"{hour + timedelta(hours=1):%Y-%m-%dT%H:%M}"}

    assert airflow.run("check_quality", asked, 240)["state"] == "success"
    verdicts = oracle.query(
        f"SELECT table_name, MIN(is_met) AS met FROM dq_results WHERE occurred_hour = '{hour:%F %T}' GROUP BY 1"
    )
    assert {v["table_name"]: v["met"] for v in verdicts} == dict.fromkeys((*TABLES, "rollups"), 1)
    (books,) = oracle.query("SELECT counts, differences, is_balanced FROM books WHERE scope = 'all'")
    assert (books["is_balanced"], books["differences"]) == (1, "[]")
    assert json.loads(books["counts"])["offsets"] >= 6000
    events = airflow.get("assets/events", limit=100)["asset_events"]
    assert {"hours": 1, "critical": 0, "warning": 0} in [
        e["extra"] for e in events if e["name"] == "pinwheel_quality_logins"
    ]

    query = (
        f"SELECT event_id FROM logins WHERE occurred_hour = '{hour:%F %T}' AND client <> 'android' ORDER BY event_id"
    )
    changed = oracle.query(query)[0]["event_id"]
    change(running_stack, changed)
    assert airflow.run("check_quality", asked, 240)["state"] == "failed"
    # The scheduled check may have run meanwhile, over the history that the other tests send, with alerts of its own.
    open_ = "SELECT * FROM alerts WHERE name = 'quality_failed' AND subject = 'logins' AND resolved_at IS NULL"
    (alert,) = oracle.query(open_)
    assert changed in alert["message"]

    change(running_stack, changed)
    assert airflow.run("check_quality", asked, 240)["state"] == "success"
    assert oracle.query(open_) == []
