"""Make Data Docs self-contained: their pages load styles, scripts and fonts from the installed web files.

Great Expectations' templates load styles and scripts from other servers, and an image that tracks each page view.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pinwheel.core.errors import MissingPartError

# End of an address in the templates -> file in an npm package.
FILES = {
    "/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "/bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "/bootstrap-table.min.css": "bootstrap-table/dist/bootstrap-table.min.css",
    "/bootstrap-table.min.js": "bootstrap-table/dist/bootstrap-table.min.js",
    "/bootstrap-table-filter-control.min.css": (
        "bootstrap-table/dist/extensions/filter-control/bootstrap-table-filter-control.min.css"
    ),
    "/bootstrap-table-filter-control.css": (
        "bootstrap-table/dist/extensions/filter-control/bootstrap-table-filter-control.css"
    ),
    "/bootstrap-table-filter-control.min.js": (
        "bootstrap-table/dist/extensions/filter-control/bootstrap-table-filter-control.min.js"
    ),
    "/bootstrap-datepicker.min.css": "bootstrap-datepicker/dist/css/bootstrap-datepicker.min.css",
    "/bootstrap-datepicker.min.js": "bootstrap-datepicker/dist/js/bootstrap-datepicker.min.js",
    "/jquery-3.7.1.min.js": "jquery/dist/jquery.min.js",
    "/popper.min.js": "popper.js/dist/umd/popper.min.js",
    "/all.min.css": "@fortawesome/fontawesome-free/css/all.min.css",
}
FONTS = "@fortawesome/fontawesome-free/webfonts"  # all.min.css loads them from ../webfonts
FETCHED = re.compile(
    r"""<script[^>]*?\ssrc="(?P<script>https?://[^"]+)"[^>]*>\s*</script>
      | <link[^>]*?\shref="(?P<link>https?://[^"]+)"[^>]*?/?>
      | <img[^>]*?\ssrc="(?P<image>https?://[^"]+)"[^>]*?/?>""",
    re.VERBOSE,
)


def keep_local(site: Path, web: Path, since: float) -> None:
    """Rewrite the pages of ``site`` that were built since a time. Idempotent.

    Args:
        site: the folder of ``index.html``.
        web: a ``node_modules`` with the packages of ``FILES``.
        since: POSIX seconds; older pages are not touched.

    Raises:
        MissingPartError: a web file is not installed.
    """
    try:
        for name in FILES.values():
            if not (copy := site / "static" / "web" / name).exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(web / name, copy)
        shutil.copytree(web / FONTS, site / "static" / "web" / FONTS, dirs_exist_ok=True)
    except FileNotFoundError as error:
        raise MissingPartError(f"{error.filename} is missing, Data Docs need it; `make setup` installs it") from None
    for page in _made(site, since):
        page.write_text(_rewritten(page.read_text(encoding="utf-8"), len(page.relative_to(site).parts) - 1), "utf-8")


def _made(site: Path, since: float) -> Iterator[Path]:
    return (page for page in site.rglob("*.html") if page.stat().st_mtime >= since)


def _rewritten(text: str, depth: int) -> str:
    return FETCHED.sub(lambda tag: _local_tag(tag, "../" * depth), text)


def _local_tag(tag: re.Match[str], to_site: str) -> str:
    """The tag with our own file; empty if we have none: a logo, and chart types that none of our suites uses."""
    address = tag["script"] or tag["link"] or ""
    local = next((name for end, name in FILES.items() if address.endswith(end)), None)
    return tag[0].replace(address, f"{to_site}static/web/{local}") if local else ""
