"""Whether events have come lately: the health check of the demo's generator.

python -m pinwheel.generate.fresh
"""

import sys
from datetime import UTC, datetime, timedelta

from pinwheel.clients import kafka
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import KafkaSettings, load

LATELY = timedelta(minutes=1)


def main() -> int:
    """Exit code 0 when Kafka received a record within the last minute, else 1."""
    try:
        settings = load(KafkaSettings)
        filled = {p: held for p, held in kafka.held_offsets(settings).items() if held.end > held.start}
        times = kafka.timestamps(settings, {p: held.end - 1 for p, held in filled.items()})
    except PinwheelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return int(not any(at > datetime.now(UTC) - LATELY for at in times.values()))


if __name__ == "__main__":
    sys.exit(main())
