"""Expectation suites, built from the contract: of staged slices (the gate), and of whole hours (the checks)."""
