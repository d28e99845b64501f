"""Data Docs: Great Expectations' pages, behind our guards and without their scripts.

The pages are served from Airflow's origin, where a script would act with the viewer's session, so scripts are blocked.
The pages are readable without them. Their index is not, so our own page links to them instead.
"""

import mimetypes
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, RedirectResponse, Response

from pinwheel.core.settings import WebSettings
from plugins.web.access import SeesAllDep, SettingsDep

router = APIRouter()

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self' 'unsafe-inline'",  # their templates use inline styles throughout; harmless without scripts
        "font-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-same-origin",  # no scripts; same origin, so that styles and fonts get the login's cookie
    )
)
KINDS = {".html", ".css", ".png", ".gif", ".svg", ".ico", ".woff2", ".ttf"}


def site(settings: WebSettings) -> Path:
    """The folder of ``index.html``."""
    return settings.quality_dir / "gx" / "uncommitted" / "data_docs" / "local_site"


def page_of(settings: WebSettings, name: str, hour: datetime) -> str | None:
    """The newest page of an hour of a table, relative to the site; None if it never existed or has expired."""
    folder = site(settings) / "validations" / name / f"{hour:%Y-%m-%dT%H}"
    pages = sorted(folder.glob(f"*/hours-{name}.html"))
    return pages[-1].relative_to(site(settings)).as_posix() if pages else None


@router.get("/docs/{path:path}", include_in_schema=False)
def docs(path: str, viewer: SeesAllDep, settings: SettingsDep) -> Response:
    """A file of the site."""
    if path in ("", "index.html"):
        return RedirectResponse("../../../quality", 303)
    root = site(settings).resolve()
    try:
        file = (root / path).resolve()
        is_there = file.is_relative_to(root) and file.suffix in KINDS and file.is_file()
    except (ValueError, OSError):  # a NUL, or a name longer than the disk allows
        raise HTTPException(400, "That is no name of a page.") from None
    if not is_there:
        raise HTTPException(404, "There is no such page in the Data Docs; check_quality removes old pages.")
    kind = mimetypes.types_map.get(file.suffix, "application/octet-stream")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache"}
    return FileResponse(file, media_type=kind, headers=headers)
