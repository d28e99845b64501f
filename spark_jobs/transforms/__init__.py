"""Pure functions from Arrow table to Arrow table: no clock, randomness or settings."""
