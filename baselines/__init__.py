"""What is demanded: baselines as data, resolved against the catalogue, and the pure judgement."""
