"""The person behind a run of a Dag."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context

LONGEST = 255  # characters of the tables' columns
NOBODY = "somebody"  # has triggered a run of which Airflow knows no user, a scheduled one for example


def asked_by(context: "Context") -> str:
    """The user who triggered the run, as Airflow's auth manager names them."""
    return (context["dag_run"].triggering_user_name or NOBODY)[:LONGEST]
