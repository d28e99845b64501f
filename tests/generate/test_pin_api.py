"""The Pin API stand-in, asked by the client that the pipeline uses."""

import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from pinwheel.core.settings import PinSettings
from pinwheel.enrich.pin_sources import PinApi, SourceDownError, read_pin
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.pin_api import create_app
from pinwheel.generate.settings import PinApiSettings


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(PinApiSettings(catalogue_seed=7))) as client:
        yield client


def test_answers_with_pins_and_unknown_ids(client: TestClient) -> None:
    catalogue = Catalogue(7)
    answer = PinApi(PinSettings(pin_api_url="http://testserver"), client).fetch([5, 0, 200_000, 200_001])
    assert answer.unknown == {0, 200_001}
    assert answer.pins == {i: read_pin(catalogue.pin(i) or {}) for i in (5, 200_000)}


def test_health_names_the_catalogue(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "catalogue_seed": 7, "pins": 200_000}


def test_faults_can_be_switched_on_and_off(client: TestClient) -> None:
    api = PinApi(PinSettings(pin_api_url="http://testserver"), client)
    assert client.post("/admin/faults", json={"error_rate": 1}).status_code == 200
    with pytest.raises(SourceDownError, match="503"):
        api.fetch([1])
    client.post("/admin/faults", json={"latency_seconds": 0.15})
    started = time.monotonic()
    assert api.fetch([1]).pins
    assert time.monotonic() - started >= 0.15
    client.post("/admin/faults", json={})
    assert api.fetch([1]).pins


@pytest.mark.parametrize("body", [{}, {"pin_ids": ["x"]}, {"pin_ids": list(range(10_001))}, []])
def test_bad_questions_are_refused(client: TestClient, body: object) -> None:
    assert client.post("/pins/batch", json=body).status_code == 422


def test_bad_faults_are_refused(client: TestClient) -> None:
    assert client.post("/admin/faults", json={"error_rate": 2}).status_code == 422
