"""Pinwheel's pages in Airflow's UI."""
