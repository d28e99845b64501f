"""Where an event happened, and the full pin that it names."""
