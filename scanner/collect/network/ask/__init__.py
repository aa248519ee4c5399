"""The questions that are asked of a port once it is known what speaks there."""
