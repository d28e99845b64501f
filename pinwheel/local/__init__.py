"""The embedded stack: everything that runs on one machine with two commands, and nothing that a cluster needs."""
