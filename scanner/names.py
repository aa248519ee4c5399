"""The parts of a target's name: hosts, ports and regions, and how a message repeats a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from scanner.addresses import AddressError, never_address, parse_address

ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
"""The id of an organization of AWS accounts."""
ROLE = re.compile(r"[A-Za-z0-9+=,.@_/-]{1,128}")
"""The name of an IAM role, with its path."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_PASSWORD = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*://)?[^\s/@:]*):.*@", re.DOTALL)
# Only for the hint after a mistyped region; which regions an account has is asked of the account.
_REGION_HINTS = tuple(
    f"{area}-{number}"
    for area, numbers in (
        ("us-east", 2),
        ("us-west", 2),
        ("eu-west", 3),
        ("eu-central", 2),
        ("eu-north", 1),
        ("eu-south", 2),
        ("ap-northeast", 3),
        ("ap-southeast", 5),
        ("ap-south", 2),
        ("ap-east", 2),
        ("ca-central", 1),
        ("ca-west", 1),
        ("sa-east", 1),
        ("me-south", 1),
        ("me-central", 1),
        ("il-central", 1),
        ("af-south", 1),
        ("us-gov-east", 1),
        ("us-gov-west", 1),
        ("cn-north", 1),
    )
    for number in range(1, numbers + 1)
)


def parse_ports(text: str) -> range:
    """The ports of `22` or `8000-8100`.

    Raises:
        ValueError: not 1 to 65535, or a range that runs backwards.

    """
    first, dash, last = text.partition("-")
    low = port_number(first)
    high = port_number(last) if dash else low
    if high < low:
        raise ValueError(f"the port range {text} runs backwards; write {high}-{low}")
    return range(low, high + 1)


def port_number(text: str) -> int:
    """The port of that text.

    Raises:
        ValueError: not a number from 1 to 65535.

    """
    if not _PORT.fullmatch(text) or int(text) > 65_535:
        raise ValueError(f"a port is a number from 1 to 65535, not {shown(text)}")
    return int(text)


def region_name(text: str) -> str:
    """The region, if it has the form of one.

    Raises:
        ValueError: it has not, with the nearest one that has.

    """
    if _REGION.fullmatch(text):
        return text
    low = text.lower()
    zone = low[:-1] if _REGION.fullmatch(low[:-1]) else low
    close = [zone] if zone in _REGION_HINTS else get_close_matches(low, _REGION_HINTS, n=1)
    hint = f"did you mean {close[0]}?" if close else "one looks like eu-central-1"
    raise ValueError(f"{shown(text)} is no AWS region; {hint}")


def host_name(text: str) -> str:
    """An address in its canonical form, or a host name in lower case.

    Raises:
        ValueError: neither, or an address that is never a target.

    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not bare:
        raise ValueError("the host is missing")
    if not bare.isascii():
        raise ValueError(f"only ASCII letters; write the name as {punycode(bare)}")
    if ":" in bare or numeric(bare):
        address = parse_address(bare)
        if reason := never_address(address):
            raise AddressError(f"never a target: {reason}")
        return str(address)
    labels = bare.lower().removesuffix(".").split(".")
    if len(bare) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{shown(bare)} is no host name; it has letters, digits, hyphens and dots")
    return ".".join(labels)


def shown(word: str) -> str:
    """A word as messages repeat it: short, unambiguous, without the password of a URL."""
    # Of a text that is too long to search, nothing behind the first colon is repeated.
    hidden = _PASSWORD.sub(r"\1:***@", word) if len(word) <= 300 else f"{word[:60].partition(':')[0]}…"
    cut = hidden if len(hidden) <= 80 else f"{hidden[:80]}…"
    plain = cut.removesuffix("…")
    return cut if plain and plain.isascii() and plain.isprintable() and plain == plain.strip() else ascii(cut)


def numeric(text: str) -> bool:
    """Whether a C library would read a host of that name as an address: its last label is a number."""
    return _NUMERIC.fullmatch(text.lower().rstrip(".").rpartition(".")[2]) is not None


def punycode(host: str) -> str:
    """The ASCII form of an international host name, or advice to write it."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return "its punycode form, xn--…"


def nearest(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, and what was probably meant."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(names) or 'none'}"
    return f"there is no {what} {name}; {hint}"
