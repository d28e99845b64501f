"""The embedded stack: the whole pipeline on one machine. Nothing here is used on servers."""
