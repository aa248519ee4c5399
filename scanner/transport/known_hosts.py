"""The keys that hosts are known by, as OpenSSH keeps them in known_hosts files."""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scanner.files import write_atomically


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What known_hosts says about one host: (type, key) pairs that are its own, and keys never to accept.

    `authorities` are the keys of certificate authorities that may vouch for it.
    """

    accepted: tuple[tuple[str, bytes], ...]
    revoked: frozenset[bytes]
    authorities: tuple[tuple[str, bytes], ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the accepted keys, in the order of the files."""
        return tuple(dict.fromkeys(kind for kind, _ in self.accepted))


def known_name(host: str, port: int) -> str:
    """How known_hosts names a server: `host`, or `[host]:port` off port 22."""
    return host if port == 22 else f"[{host}]:{port}"


def fingerprint(key: bytes) -> str:
    """`SHA256:…` of a public key, as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def key_type(key: bytes) -> str:
    """The type that a public key names itself.

    Raises:
        ValueError: it names none.

    """
    name = key[4 : 4 + int.from_bytes(key[:4], "big")].decode("ascii")
    if not re.fullmatch(r"[A-Za-z0-9@.-]+", name):
        raise ValueError("a key without a type")
    return name


def lookup(files: Iterable[Path], name: str) -> KnownKeys:
    """The keys of the server of that name; a file that does not exist knows nobody.

    Lines of another form are passed over.

    Raises:
        OSError: a file is there and cannot be read.

    """
    accepted: list[tuple[str, bytes]] = []
    authorities: list[tuple[str, bytes]] = []
    revoked: set[bytes] = set()
    for file in files:
        if not file.exists():
            continue
        for line in file.read_text("utf-8", "replace").splitlines():
            words = line.split()
            marker = words.pop(0) if words and words[0].startswith("@") else ""
            if len(words) < 3 or words[0].startswith("#") or not _names(words[0], name.lower()):
                continue
            try:
                key = base64.b64decode(words[2], validate=True)
            except binascii.Error:
                continue
            if marker == "@revoked":
                revoked.add(key)
            elif marker == "@cert-authority":
                authorities.append((words[1], key))
            elif not marker:
                accepted.append((words[1], key))
    return KnownKeys(tuple(accepted), frozenset(revoked), tuple(authorities))


def line_for(name: str, kind: str, key: bytes) -> str:
    """The line by which a known_hosts file knows that key under that name."""
    return f"{name} {kind} {base64.b64encode(key).decode()}"


def append(file: Path, lines: Iterable[str]) -> None:
    """Adds lines to a known_hosts file, which is then readable for its owner only, and never half-written.

    Raises:
        OSError: it cannot be read or written.

    """
    file = file.resolve()
    if not file.parent.is_dir():
        file.parent.mkdir(mode=0o700, parents=True)
    try:
        before = file.read_text("utf-8") if file.exists() else ""
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "not UTF-8 text", str(file)) from None
    if before and not before.endswith("\n"):
        before += "\n"
    added = "".join(f"{line}\n" for line in lines)
    write_atomically(file, before + added)


def _names(field: str, name: str) -> bool:
    if field.startswith("|"):
        return _hashed(field, name)
    found = False
    for pattern in field.lower().split(","):
        negated = pattern.startswith("!")
        # Brackets are part of `[host]:port`, not a set of characters.
        if fnmatchcase(name, pattern.lstrip("!").replace("[", "[[]")):
            if negated:
                return False
            found = True
    return found


def _hashed(field: str, name: str) -> bool:
    _, version, salt, digest, *_ = [*field.split("|"), "", "", ""]
    if version != "1":
        return False
    try:
        wanted = base64.b64decode(digest, validate=True)
        made = hmac.new(base64.b64decode(salt, validate=True), name.encode(), "sha1").digest()
    except binascii.Error:
        return False
    return hmac.compare_digest(made, wanted)
