"""`python -m tests.lab.hostile_scan scan …`: the command line of Bartizan, with less patience in its talks.

The same code in the same order: only the seconds that it waits for a silent or endless server are fewer, so
that a test of a hundred of them takes half a minute.
"""

from __future__ import annotations

import functools

from scanner.cli.start import main
from scanner.collect.network import access, identify
from scanner.collect.network.talk import Line

SECONDS = 2.5


def hasten() -> None:
    """Shortens what a conversation may take as a whole, and the waits for first words."""
    vars(access)["Line"] = functools.partial(Line, seconds=SECONDS)
    for name in ("PATIENCE", "ANSWER_SECONDS"):
        setattr(identify, name, 1.0)


if __name__ == "__main__":
    hasten()
    main()
