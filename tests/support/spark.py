"""Spark for tests that start executors in processes of their own."""

from pathlib import Path

from pinwheel.install import tools


def spark_in(folder: Path) -> Path:
    """Spark, with its executors' folders in ours: a `local-cluster` puts them into SPARK_HOME."""
    home = folder / "spark"
    home.mkdir()
    for part in tools.spark_home().iterdir():
        (home / part.name).symlink_to(part)
    return home
