"""Alerts: the catalogue, raising and resolving them, and the outbox that delivers them."""
