"""What is seen of a cloud account."""
