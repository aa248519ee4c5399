"""The service-probe file of an installed nmap: its probes, its signatures, and what a signature says. Pure.

The file is read where nmap is installed and is no part of this project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from checks.fix import printable

FILE = "nmap-service-probes"
FILE_LIMIT = 32 * 1024 * 1024
PAYLOAD_LIMIT = 2_048
TEXT_LIMIT = 200
"""Characters of one name or version that are kept."""

_ESCAPES: Mapping[bytes, bytes] = MappingProxyType(
    {b"0": b"\0", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
)
_PROBE = re.compile(rb"Probe (TCP|UDP) (\S{1,60}) q(.)(.*?)\3(?: .*)?", re.DOTALL)
_SIGNATURE = re.compile(rb"(soft)?match (\S{1,60}) m(.)(.*?)\3([is]*)(?:\s+(.*))?", re.DOTALL)
_DETAIL = re.compile(rb"\s*(cpe:|[pvihod])(.)(.*?)\2(a?)(?=\s|$)", re.DOTALL)
_VARIABLE = re.compile(
    r"\$(?:(\d)|P\((\d)\)|SUBST\((\d),\"([^\"]*)\",\"([^\"]*)\"\)|I\((\d),\"([<>])\"\))", re.ASCII
)
_RESERVED_IN_CPE = frozenset(":/?#[]@!$&'()*+,;=%<>\"")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of the file that names a service: `line` is its number there, `soft` if it only narrows."""

    line: int
    service: str
    soft: bool
    pattern: bytes
    flags: re.RegexFlag
    details: bytes

    @property
    def text(self) -> str:
        """Where it stands, for people."""
        return f"line {self.line} ({self.service})"


@dataclass(slots=True)
class Probe:
    """One question of the file: what it sends, at which ports it is usual, and how rare its use is."""

    protocol: str
    name: str
    payload: bytes
    ports: frozenset[int] = frozenset()
    tls_ports: frozenset[int] = frozenset()
    rarity: int = 5
    fallback: tuple[str, ...] = ()
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    """The lines with its signatures, not yet read: most are never needed."""

    @property
    def key(self) -> tuple[str, str]:
        """Protocol and name: names alone come twice."""
        return self.protocol, self.name


@dataclass(frozen=True, slots=True)
class Named:
    """What a signature said of a reply, as nmap words it. A soft one knows the service and no more."""

    service: str
    soft: bool = False
    product: str = ""
    version: str = ""
    info: str = ""
    host: str = ""
    system: str = ""
    device: str = ""
    cpe: tuple[str, ...] = ()


def parse(data: bytes) -> Mapping[tuple[str, str], Probe]:
    """The probes by protocol and name, in the order of the file, without lines that are not understood."""
    found: dict[tuple[str, str], Probe] = {}
    current: Probe | None = None
    for number, line in enumerate(data[:FILE_LIMIT].split(b"\n"), 1):
        if line.startswith((b"match ", b"softmatch ")):
            if current is not None:
                current.lines.append((number, line))
        elif line.startswith(b"Probe "):
            current = _probe(line)
            if current is not None:
                found.setdefault(current.key, current)
        elif current is not None and not line.startswith(b"#"):
            _setting(current, line.split())
    return MappingProxyType(found)


def signature(number: int, line: bytes) -> Signature | None:
    """The signature of one line; None where it is none."""
    found = _SIGNATURE.fullmatch(line.rstrip(b"\r"))
    if found is None:
        return None
    flags = re.IGNORECASE if b"i" in found[5] else re.RegexFlag(0)
    flags |= re.DOTALL if b"s" in found[5] else re.RegexFlag(0)
    name = printable(found[2].decode("latin-1"))
    return Signature(number, name, found[1] is not None, found[4], flags, found[6] or b"")


def service_of(line: bytes) -> str:
    """The name of the service in a line with a signature."""
    return printable(line.split(b" ", 2)[1].decode("latin-1"))


def named(found: Signature, match: re.Match[bytes]) -> Named:
    """What the signature says of the reply that it matched."""
    values: dict[str, str] = {}
    cpe: dict[str, str] = {}
    for kind, _, template, _ in _DETAIL.findall(found.details):
        text = template.decode("latin-1")
        if kind == b"cpe:":
            # nmap tells one name of each part: the program, the hardware, the system.
            cpe[text[:1]] = printable(("cpe:/" + _filled(text, match, for_cpe=True)).rstrip(":"))[:TEXT_LIMIT]
        else:
            filled = _filled(text, match, for_cpe=False).strip().rstrip(", \t\r\n")
            values.setdefault(kind.decode(), printable(filled)[:TEXT_LIMIT])
    return Named(
        found.service,
        found.soft,
        values.get("p", ""),
        values.get("v", ""),
        values.get("i", ""),
        values.get("h", ""),
        values.get("o", ""),
        values.get("d", ""),
        tuple(cpe[part] for part in ("a", "h", "o") if part in cpe),
    )


def required(pattern: bytes, flags: re.RegexFlag) -> bytes:
    """Bytes that every text must hold that this pattern matches; lower case where case does not count.

    Nothing where no such bytes are found easily. It saves compiling what cannot match.
    """
    best, run, depth = b"", b"", 0
    for kind, token in _tokens(pattern):
        if kind == "alternative" and depth == 0:
            return b""
        if kind == "open":
            if token.startswith(b"(?") and not token.startswith((b"(?:", b"(?=", b"(?!", b"(?<")):
                return b""
            depth += 1
        if kind == "close":
            depth -= 1
        if depth > 0 or kind not in ("text", "repeat"):
            best, run = max(best, run, key=len), b""
        elif kind == "text":
            run += token
        else:
            # What a quantifier follows may be missing, or come more than once.
            kept = run if token[:1] == b"+" or token[:2] > b"{0" else run[:-1]
            best, run = max(best, kept, key=len), b""
    best = max(best, run, key=len)
    return best.lower() if flags & re.IGNORECASE else best


_TOKEN = re.compile(
    rb"(?P<escape>\\(?:x[0-9A-Fa-f]{2}|0[0-7]{0,2}|.))|(?P<group>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])"
    rb"|(?P<open>\((?:\?(?:[:=!]|<[=!]?|[A-Za-z]*))?)|(?P<close>\))|(?P<alternative>\|)"
    rb"|(?P<repeat>(?:[*+?]|\{\d+,?\d*\})[?+]?)|(?P<any>[.^$])|(?P<text>[^\\\[(){}*+?|.^$]+|.)",
    re.DOTALL,
)


def _tokens(pattern: bytes) -> Iterator[tuple[str, bytes]]:
    for found in _TOKEN.finditer(pattern):
        kind, token = str(found.lastgroup), found[0]
        if kind == "escape":
            letter = token[1:]
            if letter[:1] == b"x" and len(letter) == 3:
                kind, token = "text", bytes([int(letter[1:], 16)])
            elif letter[:1] == b"0":
                kind, token = "text", bytes([int(letter, 8) & 255])
            elif letter in (b"n", b"r", b"t", b"f", b"v", b"a"):
                kind, token = "text", _ESCAPES[letter]
            elif not letter.isalnum():
                kind, token = "text", letter
        yield kind, token


def _probe(line: bytes) -> Probe | None:
    found = _PROBE.fullmatch(line.rstrip(b"\r"))
    if found is None:
        return None
    payload = re.sub(rb"(?s)\\(x[0-9A-Fa-f]{2}|.)", _byte, found[4])
    if len(payload) > PAYLOAD_LIMIT:
        return None
    return Probe(found[1].decode().lower(), printable(found[2].decode("latin-1")), payload)


def _byte(found: re.Match[bytes]) -> bytes:
    token = found[1]
    return bytes([int(token[1:], 16)]) if len(token) == 3 else _ESCAPES.get(token, token)


def _setting(probe: Probe, words: list[bytes]) -> None:
    match words:
        case [b"ports", ports]:
            probe.ports = _ports(ports)
        case [b"sslports", ports]:
            probe.tls_ports = _ports(ports)
        case [b"rarity", number] if number.isdigit() and len(number) == 1:
            probe.rarity = int(number)
        case [b"fallback", names]:
            probe.fallback = tuple(printable(name.decode("latin-1")) for name in names.split(b","))


def _ports(text: bytes) -> frozenset[int]:
    found: set[int] = set()
    for first, last in re.findall(rb"(\d{1,5})(?:-(\d{1,5}))?", text):
        found.update(range(int(first), min(int(last or first), 65_535) + 1))
    return frozenset(found)


def _filled(template: str, match: re.Match[bytes], *, for_cpe: bool) -> str:
    def value(found: re.Match[str]) -> str:
        text = _value(found, match)
        return _in_cpe(text) if for_cpe else text

    return _VARIABLE.sub(value, template)


def _value(found: re.Match[str], match: re.Match[bytes]) -> str:
    plain, shown, changed, old, new, number, order = found.groups()
    index = int(plain or shown or changed or number)
    if index > (match.re.groups or 0):
        return ""
    raw = (match[index] or b"")[:TEXT_LIMIT]
    if number:
        if not 0 < len(raw) <= 8:
            return ""
        return str(int.from_bytes(raw, "big" if order == ">" else "little"))
    if shown:
        raw = bytes(byte for byte in raw if 32 <= byte < 127)
    text = raw.decode("utf-8", "backslashreplace")
    return text.replace(old, new) if changed and old else text


def _in_cpe(text: str) -> str:
    return "".join(
        f"%{ord(c):02X}" if c in _RESERVED_IN_CPE else "_" if c.isspace() else c.lower() for c in text
    )
