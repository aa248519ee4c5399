"""What is seen of a host, by one script in one exec."""
