"""Data Docs that ask nobody for anything: what their pages fetch from elsewhere comes from the installed web files.

Great Expectations' templates name servers for styles and scripts, and a picture that tells its maker of each look.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pinwheel.core.errors import MissingPartError

# What the templates name, by the end of its address -> the file of an npm package.
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
FONTS = "@fortawesome/fontawesome-free/webfonts"  # which all.min.css names beside its own folder
FETCHED = re.compile(
    r"""<script[^>]*?\ssrc="(?P<script>https?://[^"]+)"[^>]*>\s*</script>
      | <link[^>]*?\shref="(?P<link>https?://[^"]+)"[^>]*?/?>
      | <img[^>]*?\ssrc="(?P<image>https?://[^"]+)"[^>]*?/?>""",
    re.VERBOSE,
)


def keep_local(site: Path, web: Path, since: float) -> None:
    """Rewrite the pages of ``site`` that were made since then (POSIX seconds); again changes nothing.

    Args:
        site: the folder of ``index.html``.
        web: a ``node_modules`` with the packages of ``FILES``.
        since: older pages are left alone.

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
        raise MissingPartError(f"no {error.filename}, which Data Docs need; `make setup` installs it") from None
    for page in _made(site, since):
        page.write_text(_rewritten(page.read_text(encoding="utf-8"), len(page.relative_to(site).parts) - 1), "utf-8")


def _made(site: Path, since: float) -> Iterator[Path]:
    return (page for page in site.rglob("*.html") if page.stat().st_mtime >= since)


def _rewritten(text: str, depth: int) -> str:
    return FETCHED.sub(lambda found: _here(found, "../" * depth), text)


def _here(found: re.Match[str], way: str) -> str:
    """The same tag on our own file; nothing where we have none: charts of kinds that no suite of ours has, a logo."""
    address = found["script"] or found["link"] or ""
    local = next((name for end, name in FILES.items() if address.endswith(end)), None)
    return found[0].replace(address, f"{way}static/web/{local}") if local else ""
