"""Benchmarks: programs to run by hand, on stacks of their own; what they found is in docs/benchmarks.md."""
