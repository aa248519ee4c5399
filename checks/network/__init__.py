"""Checks of networks: what is reachable and how it answers."""
