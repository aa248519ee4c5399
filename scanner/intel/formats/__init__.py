"""The forms in which feeds are published, one module for a publisher or a standard."""
