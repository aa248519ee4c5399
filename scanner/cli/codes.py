"""Exit codes, as scripts rely on them."""

FINE = 0
FINDINGS = 1
USAGE = 2
COVERAGE = 3
INTERNAL = 4
INTERRUPTED = 130
