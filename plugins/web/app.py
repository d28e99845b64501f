"""The app behind the pages."""

from fastapi import FastAPI

from pinwheel.settings import WebSettings, load
from plugins.web import errors, files, health, live, pages, quality, reports, trends
from plugins.web.access import GUARDS
from plugins.web.headers import SecurityHeaders

# The pages' own last: they take every path of one word.
ROUTERS = (live.router, trends.router, health.router, quality.router, reports.router, files.router, pages.router)


def create_app(settings: WebSettings | None = None) -> FastAPI:
    """The app; every route of it is for people who are signed in to Airflow.

    FastAPI's own routes for its documents are off: the guards do not cover them.
    """
    app = FastAPI(
        title="Pinwheel",
        description="What Pinwheel's pages in Airflow are made of. Sign in as for Airflow's own API.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=GUARDS,
        responses=errors.RESPONSES,
    )
    app.state.settings = settings or load(WebSettings)
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
