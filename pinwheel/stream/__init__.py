"""The stream's driver under Airflow: starting it, watching it, and its lock."""
