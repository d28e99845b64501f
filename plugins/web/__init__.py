"""The pages: one FastAPI app. Each page has a module with a router, and a fragment and a script in ``static``."""
