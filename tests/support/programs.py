"""Programs that tests start as the stack does."""

import sys

PRODUCE = (sys.executable, "-m", "pinwheel.generate.produce")
# The stream's driver, as its supervisor launches it; ends with the driver's exit code.
LAUNCH = """
import os, sys
from pinwheel.core.settings import SuperviseSettings, load
from pinwheel.stream.submit import launch_driver
_, status = os.waitpid(launch_driver(load(SuperviseSettings)), 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
