"""The bytes of SNMP: one question and its answer, in bounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.collect.network.ask.ber import BerError, integer, number, tlv, values

SYS_DESCR = bytes((0x2B, 6, 1, 2, 1, 1, 1, 0))
"""1.3.6.1.2.1.1.1.0, as BER writes it."""
V1, V2C, V3 = 0, 1, 3
INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
GET, RESPONSE, REPORT = 0xA0, 0xA2, 0xA8
_NO_VALUE = (0x80, 0x81, 0x82)
"""What version 2c puts in the place of a value that is not there, or not in view."""
LONGEST = 65_535


@dataclass(frozen=True, slots=True)
class SnmpAnswer:
    """One answer: its version, the number of the request, the error and the text of the first value.

    `value` is empty where the value is no text; `told` is whether there was a value at all, of any kind.
    `engine` is the id of an SNMPv3 engine, empty before v3.
    """

    version: int
    request: int
    error: int = 0
    value: bytes = b""
    told: bool = False
    engine: bytes = b""


def get_request(version: int, community: bytes, request: int) -> bytes:
    """A GET of sysDescr.0 in SNMPv1 or v2c."""
    binding = tlv(SEQUENCE, tlv(OID, SYS_DESCR), tlv(NULL))
    pdu = tlv(GET, integer(request), integer(0), integer(0), tlv(SEQUENCE, binding))
    return tlv(SEQUENCE, integer(version), tlv(OCTETS, community), pdu)


def discovery(request: int) -> bytes:
    """The question with which a client of SNMPv3 finds out the engine; no user, no secret."""
    header = tlv(SEQUENCE, integer(request), integer(LONGEST), tlv(OCTETS, b"\x04"), integer(3))
    nobody = tlv(SEQUENCE, tlv(OCTETS), integer(0), integer(0), tlv(OCTETS), tlv(OCTETS), tlv(OCTETS))
    pdu = tlv(GET, integer(request), integer(0), integer(0), tlv(SEQUENCE))
    scoped = tlv(SEQUENCE, tlv(OCTETS), tlv(OCTETS), pdu)
    return tlv(SEQUENCE, integer(V3), header, tlv(OCTETS, nobody), scoped)


def read_answer(data: bytes) -> SnmpAnswer:
    """The answer in this datagram.

    Raises:
        BerError: it is no answer of SNMP, or its lengths lie.

    """
    message = values(_only(data, SEQUENCE))
    version = number(_next(message, INTEGER))
    if version in (V1, V2C):
        _next(message, OCTETS)
        return _read_pdu(version, _next(message, RESPONSE))
    if version != V3:
        raise BerError("no version of SNMP")
    header = values(_next(message, SEQUENCE))
    request = number(_next(header, INTEGER))
    security = values(_only(_next(message, OCTETS), SEQUENCE))
    engine = _next(security, OCTETS)
    scoped = values(_next(message, SEQUENCE))
    _next(scoped, OCTETS)
    _next(scoped, OCTETS)
    # What only sends the question back would else pass for an agent.
    _next(scoped, REPORT)
    return SnmpAnswer(version, request, engine=engine)


def _read_pdu(version: int, content: bytes) -> SnmpAnswer:
    fields = values(content)
    request, error = number(_next(fields, INTEGER)), number(_next(fields, INTEGER))
    _next(fields, INTEGER)
    bindings = values(_next(fields, SEQUENCE))
    for tag, binding in bindings:
        if tag != SEQUENCE:
            raise BerError("no binding where one must be")
        parts = values(binding)
        _next(parts, OID)
        kind, value = next(parts, (NULL, b""))
        told = error == 0 and kind != NULL and kind not in _NO_VALUE
        return SnmpAnswer(version, request, error, value if told and kind == OCTETS else b"", told=told)
    return SnmpAnswer(version, request, error)


def _next(fields: Iterator[tuple[int, bytes]], tag: int) -> bytes:
    found, content = next(fields, (-1, b""))
    if found != tag:
        raise BerError("another element than the one that must be here")
    return content


def _only(data: bytes, tag: int) -> bytes:
    return _next(values(data), tag)
