"""Contract, settings, errors and signals: what every other room stands on."""
