"""Pins of rows that landed while their sources were down, or lied."""

from tests.support.airflow_client import Airflow
from tests.support.oracle import Oracle, wait_until


def complete_all(oracle: Oracle, airflow: Airflow) -> None:
    """Let all rows get their pins, by the Dag; those that the Pin API said not to know are asked for once more."""

    def nothing_waits() -> bool:
        assert airflow.run("complete_pins")["state"] == "success"
        oracle.settle()
        return not oracle.query("SELECT 1 FROM pending_pins WHERE pin_status = 'pending' LIMIT 1")

    wait_until("no row waits for its pin", nothing_waits)
