"""A lasting alert as a latch: raised when its condition starts, resolved when it ends, neither repeated.

``raise_alert`` and ``resolve_alert`` are idempotent, but each queries the database: a latch avoids that at every turn.
"""

from pinwheel.alerts.catalogue import Alert, Resolve, Send


class Latch:
    """One alert about one subject.

    ``is_open``: the state an earlier process left; None: unknown, so the first call always reaches the database.
    """

    def __init__(
        self, alert: Alert, subject: str, raise_: Send, resolve: Resolve, *, is_open: bool | None = None
    ) -> None:
        self.is_open = is_open
        self._alert, self._subject = alert, subject
        self._raise, self._resolve = raise_, resolve

    def start(self, message: str) -> None:
        """The condition holds. After a crash here it is raised again, which changes only the stored message."""
        if not self.is_open:
            self._raise(self._alert, self._subject, message)
            self.is_open = True

    def end(self, message: str) -> None:
        """The condition no longer holds. After a crash here it is resolved again, which is a no-op."""
        if self.is_open is not False:
            self._resolve(self._alert, self._subject, message, bool(self.is_open))
            self.is_open = False
