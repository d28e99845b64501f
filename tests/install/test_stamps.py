"""A folder is either whole or not there."""

from pathlib import Path

import pytest

from pinwheel.install import stamps


def _fill(folder: Path) -> None:
    (folder / "file").write_text("new")


def test_a_built_folder_is_current(tmp_path: Path) -> None:
    stamps.build_folder(tmp_path / "tool", "digest", _fill)
    assert stamps.is_current(tmp_path / "tool", "digest")
    assert not stamps.is_current(tmp_path / "tool", "newer digest")


def test_a_failed_build_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    stamps.build_folder(tmp_path / "tool", "digest", _fill)

    def fail(folder: Path) -> None:
        (folder / "file").write_text("half")
        raise OSError("cut off")

    with pytest.raises(OSError, match="cut off"):
        stamps.build_folder(tmp_path / "tool", "newer digest", fail)
    assert (tmp_path / "tool" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["tool"]


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".tool.part-1").mkdir()
    stamps.build_folder(tmp_path / "tool", "digest", _fill)
    assert [path.name for path in tmp_path.iterdir()] == ["tool"]


def test_a_folder_made_by_hand_is_built_again(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    assert not stamps.is_current(tmp_path / "tool", "digest")
    stamps.build_folder(tmp_path / "tool", "digest", _fill)
    assert (tmp_path / "tool" / "file").exists()
