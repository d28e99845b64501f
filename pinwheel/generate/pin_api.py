"""A stand-in for the Pin API: an HTTP server for the made-up catalogue, with faults that can be switched on.

    python -m pinwheel.generate.pin_api

``POST /pins/batch`` returns many pins at once, ``GET /health`` is the health check, ``POST /admin/faults`` makes it
slow or unreliable while it runs. All but the health check want the header ``Authorization: Bearer`` with
PINWHEEL_PIN_API_TOKEN.
"""

import asyncio
import random
from functools import lru_cache
from hmac import compare_digest
from typing import Annotated

import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.middleware.base import RequestResponseEndpoint

from pinwheel.core.errors import SettingError
from pinwheel.core.settings import load
from pinwheel.enrich.pin_sources import pin_api_login
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.settings import PinApiSettings

HEALTH = "/health"
KEPT_PINS = 100_000  # size of the cache of pins as JSON, about 60 MB: the popular ones are requested repeatedly


class Wanted(BaseModel):
    """Body of a batch request."""

    pin_ids: Annotated[list[int], Field(max_length=10_000)]


class Faults(BaseModel):
    """Faults of the server: delay of each answer, and share of the answers that are 503."""

    latency_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0


def create_app(settings: PinApiSettings) -> FastAPI:
    """The server of one catalogue, ``settings.catalogue_seed``.

    Raises:
        SettingError: there is no token.
    """
    app = FastAPI(title="Pin API stand-in", openapi_url=None)
    _want_token(app, settings)
    catalogue = Catalogue(settings.catalogue_seed)
    app.state.faults = Faults(latency_seconds=settings.pin_api_latency_seconds, error_rate=settings.pin_api_error_rate)

    @lru_cache(maxsize=KEPT_PINS)
    def pin_json(pin_id: int) -> bytes | None:
        pin = catalogue.pin(pin_id)
        return None if pin is None else orjson.dumps(pin)

    @app.post("/pins/batch")
    async def batch(wanted: Wanted) -> Response:
        """The pins that exist, and the ids that do not."""
        await _misbehave(app.state.faults)
        found = {pin_id: pin_json(pin_id) for pin_id in wanted.pin_ids}
        pins = b",".join(pin for pin in found.values() if pin is not None)
        unknown = orjson.dumps([pin_id for pin_id, pin in found.items() if pin is None])
        return Response(b'{"pins":[%b],"unknown":%b}' % (pins, unknown), media_type="application/json")

    @app.get(HEALTH)
    async def health() -> dict[str, object]:
        """The health check, and the catalogue that is served."""
        return {"status": "ok", "catalogue_seed": catalogue.seed, "pins": catalogue.pins}

    @app.post("/admin/faults")
    async def set_faults(faults: Faults) -> Faults:
        """Replace the faults, from now on."""
        app.state.faults = faults
        return faults

    return app


def _want_token(app: FastAPI, settings: PinApiSettings) -> None:
    wanted = pin_api_login(settings).get("Authorization", "").encode()
    if not wanted:
        raise SettingError("PINWHEEL_PIN_API_TOKEN must be set: without one everybody would be served")

    @app.middleware("http")
    async def with_token(request: Request, answer: RequestResponseEndpoint) -> Response:
        """401 before the body is read, except for the health check."""
        given = request.headers.get("authorization", "").encode()
        if request.url.path == HEALTH or compare_digest(given, wanted):
            return await answer(request)
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})


async def _misbehave(faults: Faults) -> None:
    if faults.latency_seconds:
        await asyncio.sleep(faults.latency_seconds)
    if random.random() < faults.error_rate:  # noqa: S311 - faults need no secrecy
        raise HTTPException(503, "switched on by /admin/faults")


def main() -> None:
    """Serve until stopped."""
    try:
        settings = load(PinApiSettings)
        app = create_app(settings)
    except SettingError as error:
        raise SystemExit(str(error)) from None
    uvicorn.run(app, host=settings.pin_api_host, port=settings.pin_api_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
