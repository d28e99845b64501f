"""A Great Expectations context for tasks: no usage statistics, no progress bars, no internals in the log."""

import logging
import os
from pathlib import Path
from typing import Any


def quiet_context(folder: Path | None = None) -> Any:
    """Make a context that stores its files in ``folder``, or in memory. Costs seconds of CPU in a new process."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # At INFO it wrote three of four lines of our tasks' logs, many of them while it is imported.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types import base

    logging.getLogger(base.__name__).setLevel(logging.WARNING)  # the module sets a level of its own
    if folder is None:
        context: Any = gx.get_context(mode="ephemeral")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        context = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = base.ProgressBarsConfig(globally=False)
    return context
