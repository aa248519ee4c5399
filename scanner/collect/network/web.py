"""One HTTP request and what may come back, in bounds. No redirect is followed, nothing is unpacked."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from checks.fix import printable
from scanner import __version__
from scanner.collect.network.talk import Address, Talk, TalkError

BODY_SECONDS = 3.0
HEADER_LIMIT = 100
VALUE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers by lower-case name (repeated ones joined by commas), and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request(address: Address, port: int, path: str = "/") -> bytes:
    """A GET of that path; the host is the address as it was scanned."""
    host = f"[{address}]" if address.version == 6 else str(address)
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        f"User-Agent: bartizan/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def get(talk: Talk, address: Address, port: int, path: str = "/") -> Response:
    """The response to a GET over an open connection.

    Raises:
        TalkError: no HTTP came back, or the connection broke.

    """
    await talk.send(request(address, port, path))
    return read(await talk.to_end(BODY_SECONDS))


def read(data: bytes) -> Response:
    """The response in these bytes.

    Raises:
        TalkError: they are no HTTP response.

    """
    head, mark, body = data.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    status = re.fullmatch(rb"HTTP/\d\.\d (\d{3})(?: [^\r\n]*)?", first)
    if not status or not mark:
        raise TalkError("no complete HTTP response came back" if data else "no answer to an HTTP request")
    headers: dict[str, str] = {}
    for line in rest.split(b"\r\n")[:HEADER_LIMIT]:
        name, _, value = line.decode("latin-1").partition(":")
        key, text = name.strip().lower(), printable(value.strip())[:VALUE_LIMIT]
        headers[key] = f"{headers[key]}, {text}"[:VALUE_LIMIT] if key in headers else text
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    return Response(int(status[1]), MappingProxyType(headers), body)


def client_context() -> ssl.SSLContext:
    """TLS as wide as this OpenSSL goes: it reads what a server presents and trusts nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context


def _joined(body: bytes) -> bytes:
    """The chunks of a body, up to the first that lies about its length."""
    whole = b""
    while body:
        size, mark, rest = body.partition(b"\r\n")
        text = size.split(b";")[0].strip()
        if not mark or not re.fullmatch(rb"[0-9a-fA-F]{1,6}", text) or int(text, 16) == 0:
            break
        length = int(text, 16)
        whole += rest[:length]
        body = rest[length + 2 :]
    return whole
