"""Pure steps, Arrow table -> Arrow table; no clock, randomness or settings inside."""
