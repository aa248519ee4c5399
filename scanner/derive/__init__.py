"""Facts that are computed when a snapshot is judged."""
