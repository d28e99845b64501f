"""Erases a person from everything that Pinwheel keeps, and proves it by a scan of its own."""
