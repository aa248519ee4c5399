"""Facts: what can be known, one small frozen struct per topic."""
