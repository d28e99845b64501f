"""Benchmarks, run by hand on separate stacks; the results are in docs/benchmarks.md."""
