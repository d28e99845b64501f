"""The health check: which responses count as an answer."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pinwheel.server.probe import answers, main

HEALTH = {"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}, "dag_processor": {}}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        code = int(self.path.strip("/"))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(HEALTH).encode())

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


@pytest.mark.parametrize(("code", "is_answer"), [(200, True), (403, True), (500, False), (503, False)])
def test_a_refusal_is_an_answer_and_a_failure_is_none(server: str, code: int, is_answer: bool) -> None:
    assert answers(f"{server}/{code}") is is_answer


@pytest.mark.parametrize(
    ("component", "is_healthy"), [("scheduler", True), ("triggerer", False), ("dag_processor", False), ("x", False)]
)
def test_a_component_has_to_be_healthy(server: str, component: str, is_healthy: bool) -> None:
    assert answers(f"{server}/200", component) is is_healthy


def test_nobody_there(server: str) -> None:
    assert not answers("http://127.0.0.1:1/")
    assert main([f"{server}/200", "scheduler"]) == 0
    assert main([f"{server}/500"]) == 1


def test_a_look_imports_nothing_heavy() -> None:
    code = (
        "import sys, pinwheel.server.probe; print([n for n in ('pydantic', 'pyarrow', 'airflow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
