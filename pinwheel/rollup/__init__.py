"""Rollups and trends: what the reports read, computed from the merged rows."""
