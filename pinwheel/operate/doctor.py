"""`pinwheel doctor`: what is wrong with checkpoint, lake, topic, watermarks, ledger and queue, and its repair.

Every repair is safe while the pipeline runs, dies harmlessly at any point, and deletes no row and no file of the lake.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pymysql
from deltalake.exceptions import DeltaError

from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import DriverSettings, MergeSettings, SourceSettings
from pinwheel.operate import doctor_checkpoint, doctor_lake, doctor_tables
from pinwheel.operate.finding import Finding
from pinwheel.stream import source_log

log = logging.getLogger(__name__)

KAFKA = "kafka"  # a part
ROUNDS = 4  # a repair may bring to light what is wrong behind it
UNAVAILABLE = (PinwheelError, DeltaError, pymysql.Error, OSError)


@dataclass(frozen=True)
class Doctor:
    """Looks at one pipeline."""

    source: SourceSettings
    driver: DriverSettings
    merging: MergeSettings

    def look(self) -> list[Finding]:
        """All that is wrong. A part that does not answer is a finding too; the others are still looked at."""
        parts: dict[str, Callable[[], Iterable[Finding]]] = {
            doctor_checkpoint.PART: lambda: doctor_checkpoint.look(self.driver),
            doctor_lake.PART: lambda: doctor_lake.look(self.source),
            KAFKA: self._kafka,
            "database": lambda: doctor_tables.look(self.merging),
        }
        return [finding for part, look in parts.items() for finding in _asked(part, look)]

    def mend(self, tell: Callable[[str], None]) -> list[Finding]:
        """Repair all that can be, and return what is still wrong. Dying in between: the next run finds the rest."""
        for _ in range(ROUNDS):
            mends = [(finding, mend) for finding in self.look() if (mend := finding.mend) is not None]
            if not mends:
                break
            for finding, mend in mends:
                try:
                    mend()
                except UNAVAILABLE as error:  # such as a driver that runs: the finding stays
                    tell(f"{finding.part}: not mended: {error}")
                else:
                    tell(f"{finding.part}: mended: {finding.wrong}")
        return self.look()

    def _kafka(self) -> Iterator[Finding]:
        if why := source_log.refusal(self.source):
            yield Finding(
                KAFKA,
                why,
                "nothing lands until a person decides; records that are gone are in no table",
                "`pinwheel stream --dry-run` says what would be missing: docs/runbooks/control_stream.md#continue-from",
            )


def _asked(part: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(look())
    except UNAVAILABLE as error:
        log.warning("part=%s error=%s", part, error)
        found.append(
            Finding(part, f"can't be looked at: {error}", "unknown", "mend what the message names, then look again")
        )
    return found
