"""Pinwheel: real-time user engagement from Kafka to SQL, run from Airflow."""
