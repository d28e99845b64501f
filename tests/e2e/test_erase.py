"""A person is erased from the running stack by the Dag, while events come; their events do not land again."""

import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from deltalake import DeltaTable

from pinwheel.clients.kafka import librdkafka_options
from pinwheel.core.settings import EraseSettings, KafkaSettings, load
from pinwheel.erase.run import look
from pinwheel.local.stack import Stack
from tests.support.airflow_client import ENDED, Airflow, Json
from tests.support.oracle import Oracle, wait_until
from tests.support.programs import PRODUCE

SEED = 43
PERSON = 7_000_000_043  # nobody of the generator, whose people other tests look for
READS_SECONDS = 5  # nobody approves sooner
FORM = {"reason": "asked for by letter", "erase_pins": True}


def approved(airflow: Airflow, form: Json) -> Json:
    """Trigger the Dag, approve when it asks, and wait for its end."""
    run = airflow.trigger("erase_person", form)
    path = f"dags/erase_person/dagRuns/{run}"
    approve, answered = f"{path}/taskInstances/approve", 0

    def ends() -> bool:
        """Airflow takes an answer in the second in which the task pauses for a task that died, and asks again."""
        nonlocal answered
        asking = airflow.get(approve)
        if asking["state"] == "awaiting_input" and asking["try_number"] > answered:
            time.sleep(READS_SECONDS)
            airflow.patch(f"{approve}/-1/hitlDetails", {"chosen_options": ["Approve"], "params_input": {}})
            answered = asking["try_number"]
        return airflow.get(path)["state"] in ENDED

    wait_until("it ends", ends, 420)
    return airflow.get(path)


def send(settings: KafkaSettings, count: int) -> None:
    """Events of the person: logins and repins."""
    producer = Producer(librdkafka_options(settings))
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for n in range(count):
        of_kind = {"event_type": "login", "client": "web"} if n % 2 else {"event_type": "repin", "pin_id": n + 1}
        event = {"event_id": f"theirs-{time.time_ns()}", "occurred_at": at, "user_id": PERSON, "board_id": 5, **of_kind}
        producer.produce(settings.topic, json.dumps(event).encode())
    producer.flush(30)


def test_a_person_is_erased_by_the_dag(running_stack: Stack, tmp_path: Path) -> None:
    oracle, airflow = Oracle(running_stack), Airflow(running_stack)
    settings = load(EraseSettings)
    first = ("--seed", str(SEED), "--truth-dir", str(tmp_path), "--rate", "0", "--count", "5000")
    subprocess.run([*PRODUCE, *first], check=True, capture_output=True)
    send(settings, 20)
    oracle.settle()

    dry = airflow.run("erase_person", {**FORM, "user_id": PERSON, "dry_run": True})
    assert dry["state"] == "success"
    assert look(settings, PERSON).finds["table repins"] == 10, "nothing was erased"

    then = ("--seed", str(SEED + 1), "--truth-dir", str(tmp_path / "then"), "--rate", "100", "--count", "3000")
    more = subprocess.Popen([*PRODUCE, *then])
    done = approved(airflow, {**FORM, "user_id": PERSON, "dry_run": False})
    assert done["state"] == "success"
    assert more.wait() == 0
    send(settings, 2)
    oracle.settle()

    assert dict(look(settings, PERSON).finds) == {}
    (erasure,) = oracle.query("SELECT receipt, step FROM erasures")
    receipt: dict[str, Any] = json.loads(erasure["receipt"])
    assert (erasure["step"], receipt["proof"]["found"]) == ("done", 0)
    reasons = DeltaTable(settings.events_uri).to_pyarrow_table(columns=["dead_reason"])["dead_reason"].to_pylist()
    assert reasons.count("erased") == 2
    oracle.check_arrived(tmp_path, SEED)
