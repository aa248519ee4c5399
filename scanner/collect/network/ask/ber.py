"""The few forms of BER that LDAP and SPNEGO need, with lengths that may lie. Pure."""

from __future__ import annotations

from collections.abc import Iterator

VALUE_LIMIT = 60_000


class BerError(ValueError):
    """The bytes are no BER, or not in the bounds that are read here."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """One value: its tag, its length and its contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = 0x02) -> bytes:
    """A whole number from 0 up."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def text(value: str, tag: int = 0x04) -> bytes:
    """A string of octets."""
    return tlv(tag, value.encode())


def size_of(data: bytes) -> int:
    """How long the value that begins here is with its head, or 0 while more of the head is needed.

    Raises:
        BerError: an indefinite length, or one beyond the limit.

    """
    if len(data) < 2:
        return 0
    first = data[1]
    if first < 0x80:
        return 2 + first
    many = first & 0x7F
    if not 1 <= many <= 4:
        raise BerError("a length of a form that is not used here")
    if len(data) < 2 + many:
        return 0
    size = int.from_bytes(data[2 : 2 + many], "big")
    if size > VALUE_LIMIT:
        raise BerError(f"a value of {size:,} bytes")
    return 2 + many + size


def values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tags and contents of the values that follow one another.

    Raises:
        BerError: a value that is longer than what is there.

    """
    while data:
        size = size_of(data)
        if not size or size > len(data):
            raise BerError("a value that is longer than what is there")
        head = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)
        yield data[0], data[head:size]
        data = data[size:]


def two(data: bytes) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """The first two values.

    Raises:
        BerError: there are not so many, or one of them is longer than what is there.

    """
    found = list(values(data))
    if len(found) < 2:
        raise BerError("fewer values than the message must have")
    return found[0], found[1]


def number(content: bytes) -> int:
    """The whole number in these bytes.

    Raises:
        BerError: none, or more than eight bytes.

    """
    if not 1 <= len(content) <= 8:
        raise BerError("a number of a length that is not used here")
    return int.from_bytes(content, "big", signed=True)
