"""Receivers of alerts."""

from tests.support.receivers import clock, inbox, mailbox

__all__ = ["clock", "inbox", "mailbox"]
