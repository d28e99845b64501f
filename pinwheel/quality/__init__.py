"""Whether the data can be trusted: an hour of a table is profiled, compared with its past and with the other copy."""

ROLLUPS = "rollups"  # what the rollups together are called beside the tables
