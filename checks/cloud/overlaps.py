"""Whether two patterns of policies have a text in common."""

from __future__ import annotations


def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns; takes time in proportion to both lengths."""
    # reached[j]: what is read of `one` so far, and the first j letters of `other`, match a common text.
    reached = [True]
    for letter in other:
        reached.append(reached[-1] and letter == "*")
    for mine in one:
        row = [reached[0] and mine == "*"]
        for j, letter in enumerate(other, start=1):
            if "*" in (mine, letter):
                # A star stands for nothing here, or for whatever the other pattern has next.
                row.append(row[j - 1] or reached[j])
            else:
                row.append(reached[j - 1] and (mine == letter or "?" in (mine, letter)))
        reached = row
    return reached[-1]
