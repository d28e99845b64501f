"""Shared by the commands of ``pinwheel``: their settings, and errors without a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from pinwheel.local.settings import LocalSettings

P = ParamSpec("P")
R = TypeVar("R")


def clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Print our own errors as a message, without a traceback, and exit with 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from pinwheel.core.errors import PinwheelError

        try:
            return command(*args, **kwargs)
        except PinwheelError as error:
            typer.secho(f"pinwheel: {error}", fg="red", err=True)
            raise typer.Exit(1) from None

    return wrapped


def settings() -> "LocalSettings":
    """Of the embedded stack, from the environment."""
    from pinwheel.core.settings import load
    from pinwheel.local.settings import LocalSettings

    return load(LocalSettings)
