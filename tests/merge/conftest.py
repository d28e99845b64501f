"""Receivers of alerts."""

from tests.support.receivers import clock, inbox, receiver

__all__ = ["clock", "inbox", "receiver"]
