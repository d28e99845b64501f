"""Expectation suites, built from the contract: of slices (the gate), and of whole hours (the checks)."""
