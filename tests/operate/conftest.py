"""Receivers of alerts."""

from tests.support.receivers import clock, inbox

__all__ = ["clock", "inbox"]
