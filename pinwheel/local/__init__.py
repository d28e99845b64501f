"""The embedded stack: the whole pipeline on one machine. A cluster needs nothing of it."""
