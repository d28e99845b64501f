"""The running Airflow, over its public API, as a person's browser would use it."""

import time
from typing import Any

import httpx

from pinwheel.local.stack import Stack

Json = dict[str, Any]
ENDED = {"success", "failed"}


class Airflow:
    """A logged-in client."""

    def __init__(self, stack: Stack) -> None:
        self._client = httpx.Client(base_url=stack.settings.airflow_url, timeout=90)
        login = {"username": "admin", "password": stack.credentials.airflow_admin}
        token = self._client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> Json:
        found: Json = self._client.get(f"/api/v2/{path}", params=params).raise_for_status().json()
        return found

    def post(self, path: str, body: Json) -> Json:
        """Make something, as a form does."""
        made: Json = self._client.post(f"/api/v2/{path}", json=body).raise_for_status().json()
        return made

    def run(self, dag_id: str, conf: Json | None = None, seconds: float = 120) -> Json:
        """Trigger a Dag, and wait for the end of its run."""
        return self.wait(f"dags/{dag_id}/dagRuns/{self.trigger(dag_id, conf)}", seconds)

    def trigger(self, dag_id: str, conf: Json | None = None) -> str:
        """Trigger a Dag; returns the id of its run."""
        return str(self.post(f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})["dag_run_id"])

    def wait(self, run: str, seconds: float) -> Json:
        """Wait for the end of a run, by its path."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = self.get(run)
            if found["state"] in ENDED:
                return found
            time.sleep(1)
        raise AssertionError(f"{run} did not end in {seconds:.0f} s: {found['state']}")

    def patch(self, path: str, body: Json) -> None:
        """Change something, as a form does."""
        self._client.patch(f"/api/v2/{path}", json=body).raise_for_status()

    def delete(self, path: str) -> None:
        """Delete something."""
        self._client.delete(f"/api/v2/{path}").raise_for_status()
