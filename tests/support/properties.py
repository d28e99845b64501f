"""How hypothesis looks for examples: for the same ones at each run, so that a red run is red again.

``pytest --hypothesis-profile=search`` looks for others each time, and for more. A conftest registers both.
"""

from typing import Any

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 15
WIDER = 40  # times as many when searching


def register() -> None:
    slow_machine = [HealthCheck.too_slow]
    common: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": slow_machine}
    settings.register_profile("same", derandomize=True, max_examples=EXAMPLES, **common)
    settings.register_profile("search", max_examples=EXAMPLES * WIDER, **common)
    settings.load_profile("same")


def examples(count: int) -> settings:
    """``count`` examples in place of ``EXAMPLES``, for those that take long; too long to look for a smaller one."""
    return settings(max_examples=count * settings().max_examples // EXAMPLES, phases=(Phase.explicit, Phase.generate))
