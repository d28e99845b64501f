"""Reports on the merged rows of a small lake."""

from tests.support.brand_reports import clock, held, maker, named, report_settings, run, store

__all__ = ["clock", "held", "maker", "named", "report_settings", "run", "store"]
