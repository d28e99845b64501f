"""``python -m pinwheel``."""

from pinwheel.cli import app

app()
