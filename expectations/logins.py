"""What a staged slice of ``logins`` must look like."""

from great_expectations import ExpectationSuite

from expectations.common import build


def suite() -> ExpectationSuite:
    """The contract's expectations of ``logins``; add the table's own to the list that ``build`` takes."""
    return build("logins")
