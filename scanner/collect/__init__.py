"""Collectors: what is seen of a target, as a snapshot."""
