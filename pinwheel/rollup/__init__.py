"""Rollups and trends, computed from the merged rows."""
