"""Guard of what is sent by POST: a page of another site could make a browser send it, with the viewer's cookie.

Such a page can't set JSON's content type without asking Airflow first, which allows no other site. A browser says where
a request comes from; programs with a bearer token say nothing, and need not.
"""

from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request


def from_our_pages(request: Request) -> None:
    """415 for anything but JSON, 403 for what another site's page has sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON, with the header Content-Type: application/json.")
    if not _is_ours(request):
        raise HTTPException(403, "This was sent by a page of another address than Airflow's, so it is not done.")


def _is_ours(request: Request) -> bool:
    """``Sec-Fetch-Site`` is exact. Browsers leave it out without TLS: then the origin has to be the host asked for."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


GUARD = Depends(from_our_pages)
