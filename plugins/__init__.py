"""What Pinwheel adds to Airflow's UI."""
