"""The pages: one FastAPI app; each page is a module with a router, and a fragment and a script in ``static``."""
