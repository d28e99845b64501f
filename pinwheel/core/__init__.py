"""Contract, settings, errors, signals and offsets; every other room imports from here."""
