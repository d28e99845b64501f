"""Static files: our own, and a fixed list from the web packages that `make setup` installs. All are behind the guards.

Each is compressed once and cached: Airflow would compress it for every request, on the event loop that serves everyone.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from plugins.web.access import SettingsDep

STATIC = Path(__file__).parent / "static"
VENDOR = {
    "d3-array.js": "d3-array/dist/d3-array.min.js",
    "d3-geo.js": "d3-geo/dist/d3-geo.min.js",
    "topojson-client.js": "topojson-client/dist/topojson-client.min.js",
    "three.module.js": "three/build/three.module.js",
    "three.core.js": "three/build/three.core.js",  # three.module.js imports it by this name
    "OrbitControls.js": "three/examples/jsm/controls/OrbitControls.js",
    "countries-110m.json": "world-atlas/countries-110m.json",
}
# Browsers resolve no bare name without an import map, which would be inline code.
BARE, RESOLVED = b"from 'three'", b"from './three.module.js'"
COMPRESS_FROM = 1024  # bytes; smaller files fit into one packet anyway
TEXT = {".css", ".html", ".js", ".json", ".svg"}

router = APIRouter()


@dataclass(frozen=True)
class File:
    """One file, ready to send."""

    body: bytes
    compressed: bytes | None
    kind: str
    tag: str


@lru_cache(maxsize=64)
def _read(path: Path, changed_at: int) -> File:
    body = path.read_bytes().replace(BARE, RESOLVED)
    kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
    small = gzip.compress(body, 6) if path.suffix in TEXT and len(body) >= COMPRESS_FROM else None
    return File(body, small, f"{kind}; charset=utf-8" if path.suffix in TEXT else kind, sha256(body).hexdigest()[:20])


def read(path: Path) -> File:
    """A listed file; read again when it has changed."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        raise HTTPException(404, f"{path.name} is missing; `make setup` installs the web files.") from None


def respond(file: File, request: Request) -> Response:
    """The file, or 304 if the browser has it. Always revalidated: a login can end, a file can change."""
    headers = {"ETag": f'"{file.tag}"', "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.body, headers=headers, media_type=file.kind)


@router.get("/static/{name}", include_in_schema=False)
def own_file(name: str, request: Request) -> Response:
    """One of our own files."""
    if name not in {path.name for path in STATIC.iterdir() if path.suffix in TEXT}:
        raise HTTPException(404, f"There is no file {name[:100]}.")
    return respond(read(STATIC / name), request)


@router.get("/static/vendor/{name}", include_in_schema=False)
def vendor_file(name: str, request: Request, settings: SettingsDep) -> Response:
    """A file of a web package."""
    if name not in VENDOR:
        raise HTTPException(404, f"There is no file {name[:100]}.")
    return respond(read(settings.web_modules_dir / VENDOR[name]), request)
