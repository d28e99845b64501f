"""Connections to a mail server whose replies are bounded in time and size; smtplib bounds each read and each line."""

import smtplib
from io import BufferedReader

from pinwheel.core.http import ends_after

REPLY_BYTES = 2**16  # some lines are usual


class _Reply:
    """The replies of the server: one ends after ``REPLY_BYTES`` as if it had closed the connection."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.left = REPLY_BYTES

    def readline(self, size: int) -> bytes:
        line = self._file.readline(size)
        self.left -= len(line)
        return line if self.left > 0 else b""

    def close(self) -> None:
        self._file.close()


class Smtp(smtplib.SMTP):
    """Plain, or encrypted by ``starttls``."""

    def getreply(self) -> tuple[int, bytes]:
        """The server's next reply; raises ``SMTPServerDisconnected`` if it does not end within the timeout."""
        with ends_after(float(self.timeout), lambda: self.sock):
            if self.sock and not self.file:
                self.file = _Reply(self.sock.makefile("rb"))
            if self.file:
                self.file.left = REPLY_BYTES
            return super().getreply()


class SmtpOverTls(Smtp, smtplib.SMTP_SSL):
    """Encrypted from the first byte."""
