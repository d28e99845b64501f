"""The findings of `pinwheel doctor`."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in words: ``wrong`` with its value, what it ``means`` for the numbers, what to ``do``.

    ``mend`` does that; None: a person must. ``part`` is where it is: checkpoint, lake, kafka, watermarks, ledger or
    queue.
    """

    part: str
    wrong: str
    means: str
    do: str
    mend: Callable[[], None] | None = field(default=None, compare=False)
