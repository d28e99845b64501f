"""Health, retention and the upkeep of Airflow's own database: rooms of the flow seen from outside."""
