"""Facts about a host."""
