"""The state that people want of the stream, and the person behind it, as an Airflow Variable has it (ADR 0006)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pinwheel.core.errors import PinwheelError

WANTED_VARIABLE = "pinwheel_stream"  # Airflow Variable with the state that people want, see Wanted


class Wanted(StrEnum):
    """The state of the stream that people want."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESTART = "restart"


WISH = re.compile(rf"\s*(?P<wanted>{'|'.join(Wanted)})(?:\s+by(?:\s+(?P<by>.*?))?)?\s*", re.DOTALL)


@dataclass(frozen=True)
class Wish:
    """The state that a person wants, and their name; the Variable has it as "stopped by ann", or "stopped"."""

    wanted: Wanted
    by: str = "somebody"

    @classmethod
    def of(cls, text: str) -> "Wish":
        """Read the Variable.

        Raises:
            PinwheelError: its first word is no state.
        """
        said = WISH.fullmatch(text)
        if said is None:
            raise PinwheelError(f"the Variable {WANTED_VARIABLE} is {text!r}; it must be one of {', '.join(Wanted)}")
        return cls(Wanted(said["wanted"]), said["by"] or cls.by)

    def __str__(self) -> str:
        return f"{self.wanted} by {self.by}"
