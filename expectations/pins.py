"""What a staged slice of ``pins`` must look like."""

from great_expectations import ExpectationSuite

from expectations.common import build


def suite() -> ExpectationSuite:
    """The contract's expectations of ``pins``; add the table's own to the list that ``build`` takes."""
    return build("pins")
