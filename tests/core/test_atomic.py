"""A file is replaced whole, or not at all."""

from pathlib import Path

import pytest

from pinwheel.core import atomic


def test_a_file_is_made_with_its_folder_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "notes.json"
    for text in ("first", "second"):
        atomic.write_text(path, text)
        assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == ["notes.json"]


def test_a_writer_that_dies_leaves_the_old_file_and_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    atomic.write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(path, "half \udc80")
    assert path.read_text() == "old"
    atomic.write_text(path, "new")
    assert path.read_text() == "new"


def test_a_secret_is_its_owner_s_alone_whatever_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    for name in ("secrets.json", "secrets.json.part"):  # as a careless hand, or a dead writer, may have left them
        (tmp_path / name).write_text("seen by all")
    atomic.write_text(path, "secret", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "first.log").write_text("first")
    (tmp_path / "second.log").write_text("second")
    for name in ("first.log", "second.log"):
        with atomic.replacing(tmp_path / "driver.log") as link:
            link.symlink_to(tmp_path / name)
    assert (tmp_path / "driver.log").read_text() == "second"
    assert (tmp_path / "first.log").read_text() == "first"
