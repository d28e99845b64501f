"""Every settings class of the project."""

from collections.abc import Iterator
from importlib import import_module

from pydantic_settings import BaseSettings

MODULES = (
    "pinwheel.core.settings",
    "pinwheel.local.settings",
    "pinwheel.generate.settings",
    "pinwheel.server.settings",
)


def settings_classes() -> set[type[BaseSettings]]:
    """Every settings class of the project."""
    for module in MODULES:
        import_module(module)
    found = {cls for cls in _subclasses(BaseSettings) if cls.__module__.startswith("pinwheel.")}
    assert {cls.__module__ for cls in found} == set(MODULES), "a module with settings that MODULES does not name"
    return found


def _subclasses(cls: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for below in cls.__subclasses__():
        yield below
        yield from _subclasses(below)
