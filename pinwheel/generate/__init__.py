"""The generator: a made-up catalogue, people and the events that they send; and a Pin API for the catalogue."""
