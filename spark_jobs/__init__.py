"""Spark jobs: the only room that imports pyspark. Submitted by path, never imported by a Dag."""
