"""The store: scans, their ledger, snapshots in a hash chain, and findings as intervals."""
