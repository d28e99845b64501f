"""The Pin API stand-in, asked by the client that the pipeline uses."""

import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from pinwheel.core.errors import SettingError
from pinwheel.core.settings import PinSettings
from pinwheel.enrich.pin_sources import PinApi, SourceDownError, read_pin
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.pin_api import create_app
from pinwheel.generate.settings import PinApiSettings

TOKEN = SecretStr("s3cret")
LOGIN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(PinApiSettings(catalogue_seed=7, pin_api_token=TOKEN))) as client:
        yield client


def pin_api(client: TestClient, token: SecretStr = TOKEN) -> PinApi:
    def ask(request: httpx.Request) -> httpx.Response:  # Starlette's client is of httpx2 and raises other errors
        answer = client.request(request.method, str(request.url), content=request.read(), headers=request.headers.raw)
        return httpx.Response(answer.status_code, content=answer.content)

    settings = PinSettings(pin_api_url="http://testserver", pin_api_token=token)
    return PinApi(settings, httpx.Client(transport=httpx.MockTransport(ask)))


def test_answers_with_pins_and_unknown_ids(client: TestClient) -> None:
    catalogue = Catalogue(7)
    answer = pin_api(client).fetch([5, 0, 200_000, 200_001])
    assert answer.unknown == {0, 200_001}
    assert answer.pins == {i: read_pin(catalogue.pin(i) or {}) for i in (5, 200_000)}


def test_health_names_the_catalogue(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "catalogue_seed": 7, "pins": 200_000}


def test_faults_can_be_switched_on_and_off(client: TestClient) -> None:
    api = pin_api(client)
    assert client.post("/admin/faults", json={"error_rate": 1}, headers=LOGIN).status_code == 200
    with pytest.raises(SourceDownError, match="503"):
        api.fetch([1])
    client.post("/admin/faults", json={"latency_seconds": 0.15}, headers=LOGIN)
    started = time.monotonic()
    assert api.fetch([1]).pins
    assert time.monotonic() - started >= 0.15
    client.post("/admin/faults", json={}, headers=LOGIN)
    assert api.fetch([1]).pins


@pytest.mark.parametrize("body", [{}, {"pin_ids": ["x"]}, {"pin_ids": list(range(10_001))}, []])
def test_bad_questions_are_refused(client: TestClient, body: object) -> None:
    assert client.post("/pins/batch", json=body, headers=LOGIN).status_code == 422


def test_bad_faults_are_refused(client: TestClient) -> None:
    assert client.post("/admin/faults", json={"error_rate": 2}, headers=LOGIN).status_code == 422


@pytest.mark.parametrize("header", [None, "Bearer guessed", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cret2"])
@pytest.mark.parametrize("path", ["/pins/batch", "/admin/faults", "/docs", "/openapi.json", "/health/../admin/faults"])
def test_nobody_is_served_without_the_token(client: TestClient, path: str, header: str | None) -> None:
    answer = client.post(path, content=b"no JSON", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["www-authenticate"], answer.content) == (401, "Bearer", b"")


@pytest.mark.parametrize("token", ["", "guessed"])
def test_the_pipeline_s_client_without_the_token_takes_the_source_for_down(client: TestClient, token: str) -> None:
    with pytest.raises(SourceDownError, match="401"):
        pin_api(client, SecretStr(token)).fetch([1])


def test_without_a_token_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINWHEEL_PIN_API_TOKEN", raising=False)
    with pytest.raises(SettingError, match="PINWHEEL_PIN_API_TOKEN must be set"):
        create_app(PinApiSettings())
