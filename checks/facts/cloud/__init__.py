"""Facts about a cloud account."""
