"""What is seen of a network."""
