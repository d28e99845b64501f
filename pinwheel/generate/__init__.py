"""The generator: a made-up catalogue, people who act on it, and what they send; and a Pin API over the catalogue."""
