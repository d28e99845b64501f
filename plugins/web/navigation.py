"""The pages, in the order of the navigation. Imports nothing, because every Airflow process loads it."""

PREFIX, METRICS = "/pinwheel", "/pinwheel-metrics"
CATEGORY = "Pinwheel"
PAGES = {
    "live": "Live globe",
    "trends": "Trends",
    "health": "Pipeline health",
    "quality": "Data quality",
    "reports": "Brand reports",
}
