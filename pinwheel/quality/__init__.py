"""Hourly quality checks: each hour of a table is profiled and compared with its past, and lake with database."""
