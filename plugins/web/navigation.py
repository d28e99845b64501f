"""The pages, in the order of the navigation. Imports nothing, because every Airflow process loads it."""

PREFIX, METRICS = "/pinwheel", "/pinwheel-metrics"
CATEGORY = "Pinwheel"
PAGES = {
    "live": "Live globe",
    "trends": "Trends",
    "brand": "Brand today",
    "health": "Pipeline health",
    "quality": "Data quality",
    "reports": "Brand reports",
    "explore": "Explore",
}
LINKED = {"pin": "Pin", "users": "Users"}  # pages that only other pages lead to
