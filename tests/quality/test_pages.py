"""Data Docs pages that fetch from other hosts, rewritten to fetch local copies."""

from pathlib import Path

import pytest

from pinwheel.core.errors import MissingPartError
from pinwheel.quality.pages import FILES, FONTS, keep_local

PAGE = """<html><head><script src="https://code.jquery.com/jquery-3.7.1.min.js"></script>
<script src="https://cdn.jsdelivr.net/npm/vega@5"></script>
<link rel="stylesheet" href="https://cdn.example/font-awesome/6.6.0/css/all.min.css"/></head>
<body><img src="https://counts.example/logo.png?who=me"><a href="https://greatexpectations.io">the makers</a>
<img src="static/images/favicon.ico"></body></html>"""
LOCAL = """<html><head><script src="{way}static/web/jquery/dist/jquery.min.js"></script>

<link rel="stylesheet" href="{way}static/web/@fortawesome/fontawesome-free/css/all.min.css"/></head>
<body><a href="https://greatexpectations.io">the makers</a>
<img src="static/images/favicon.ico"></body></html>"""


@pytest.fixture
def web(tmp_path: Path) -> Path:
    for name in (*FILES.values(), f"{FONTS}/fa-solid-900.woff2"):
        (tmp_path / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "web" / name).write_text(name)
    return tmp_path / "web"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "pins").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text(PAGE)
    (tmp_path / "site" / "pins" / "hour.html").write_text(PAGE)
    return tmp_path / "site"


def test_what_is_ours_comes_from_beside_and_the_rest_from_nowhere(site: Path, web: Path) -> None:
    for _ in ("once", "again"):
        keep_local(site, web, 0)
        assert (site / "index.html").read_text() == LOCAL.format(way="")
        assert (site / "pins" / "hour.html").read_text() == LOCAL.format(way="../")
    assert (site / "static/web/jquery/dist/jquery.min.js").read_text() == "jquery/dist/jquery.min.js"
    assert (site / "static/web" / FONTS / "fa-solid-900.woff2").is_file()


def test_older_pages_are_left_alone(site: Path, web: Path) -> None:
    keep_local(site, web, (site / "index.html").stat().st_mtime + 1)
    assert (site / "index.html").read_text() == PAGE


def test_a_file_that_is_not_installed_is_named(site: Path, web: Path) -> None:
    (web / FILES["/popper.min.js"]).unlink()
    with pytest.raises(MissingPartError, match=r"popper.*make setup"):
        keep_local(site, web, 0)
