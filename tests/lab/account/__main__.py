"""`python -m tests.lab.account URL [TOPIC …]` plants the account into a running emulator and lists it."""

from __future__ import annotations

import sys

from tests.lab.planted_account import plant_account

if __name__ == "__main__":
    for one in plant_account(*sys.argv[1:]).planted:
        print("bad  " if one.bad else "clean", one.check, one.region, one.on, one.note, sep="\t")
