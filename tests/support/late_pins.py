"""Pins of rows that landed while their sources were down."""

from tests.support.airflow_client import Airflow
from tests.support.oracle import Oracle, wait_until


def complete_all(oracle: Oracle, airflow: Airflow) -> None:
    """Let all rows get their pins, by the Dag."""

    def nothing_waits() -> bool:
        if not oracle.query("SELECT 1 FROM pending_pins WHERE pin_status = 'pending' LIMIT 1"):
            return True
        assert airflow.run("complete_pins")["state"] == "success"
        oracle.settle()
        return False

    wait_until("no row waits for its pin", nothing_waits)
