"""Checks that events arrive: the health check of the demo's generator.

python -m pinwheel.generate.fresh
"""

import sys
from datetime import UTC, datetime, timedelta

from pinwheel.clients import kafka
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import KafkaSettings, load

MAX_AGE = timedelta(minutes=1)


def main() -> int:
    """Returns the exit code: 0 if Kafka received a record within ``MAX_AGE``, else 1."""
    try:
        settings = load(KafkaSettings)
        times = kafka.newest_times(settings, kafka.held_offsets(settings))
    except PinwheelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return int(not any(at > datetime.now(UTC) - MAX_AGE for at in times.values()))


if __name__ == "__main__":
    sys.exit(main())
