"""The HTML pages: one shell around each page's fragment; also runbooks and the API's description."""

import re
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markdown_it import MarkdownIt
from pydantic import BaseModel

from plugins.web.access import ViewerDep
from plugins.web.files import STATIC, read
from plugins.web.navigation import LINKED, PAGES

router = APIRouter()

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
RUNBOOK_LINK = re.compile(r'href="(?:\.\./(?=alerts)|runbooks/)?(\w+)\.md')
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class Me(BaseModel):
    """The signed-in user. ``brands``: null if they see every brand; ``may_trigger``: Dags that have buttons."""

    name: str
    brands: list[int] | None
    may_trigger: list[str]


@router.get("/api/me")
def me(viewer: ViewerDep) -> Me:
    """The signed-in user and the brands that they see."""
    brands = None if viewer.brands is None else sorted(viewer.brands)
    return Me(name=viewer.name, brands=brands, may_trigger=viewer.may_trigger())


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The API's description. FastAPI's own route for it is off, because it would bypass the guards."""
    described: dict[str, Any] = request.app.openapi()
    return described


@router.get("/runbooks/{name}", include_in_schema=False)
def runbook(name: str) -> HTMLResponse:
    """A runbook of the repository, so that an alert's page can link to it, or the list of all alerts."""
    path = {path.stem: path for path in (*RUNBOOKS.glob("*.md"), RUNBOOKS.parent / "alerts.md")}.get(name)
    if path is None:
        raise HTTPException(404, f"There is no runbook {name[:100]}.")
    text = RUNBOOK_LINK.sub(r'href="\1', str(MARKDOWN.render(path.read_text())))
    body = f'<article class="card prose">{text}</article>'
    title = "Alerts" if name == "alerts" else f"Runbook: {name}"
    return HTMLResponse(shell("health", title, body, script="static/prose.js", base="../"))


@router.get("/", include_in_schema=False)
def first(request: Request) -> RedirectResponse:
    """The first page of the navigation."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/{next(iter(PAGES))}", 303)


@router.get("/{page}", include_in_schema=False)
def page(page: str) -> HTMLResponse:
    """A page of the navigation, or one that other pages lead to."""
    title = (PAGES | LINKED).get(page)
    if title is None:
        raise HTTPException(404, f"There is no page {page[:100]}.")
    return HTMLResponse(shell(page, title, _text(f"{page}.html"), script=f"static/{page}.js"))


def shell(page: str, title: str, body: str, *, script: str, base: str = "") -> str:
    """A whole document. ``body`` is trusted HTML; ``base`` is the path from the document's folder to the app's."""
    links = "\n".join(_link(name, label, name == page, base) for name, label in PAGES.items())
    return Template(_text("shell.html")).substitute(
        title=escape(title), page=escape(page), links=links, body=body, script=escape(base + script), base=escape(base)
    )


def _link(page: str, label: str, is_here: bool, base: str) -> str:
    here = ' aria-current="page"' if is_here else ""
    return f'<a href="{escape(base + page)}"{here}>{escape(label)}</a>'


def _text(name: str) -> str:
    return read(STATIC / name).body.decode()
