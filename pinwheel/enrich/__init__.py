"""Enrichment of events: the location of the address, and the full pin of the pin id."""
