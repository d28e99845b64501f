"""Pure DataFrame -> DataFrame steps; no clock, randomness or settings inside."""
