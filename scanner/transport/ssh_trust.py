"""Whether a host is the one we know: by its own key, or by a certificate of an authority for it."""

from __future__ import annotations

import base64
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType
from cryptography.hazmat.primitives.serialization.ssh import load_ssh_public_identity

from scanner.collect.collector import CollectError, Failure
from scanner.transport.known_hosts import KnownKeys, fingerprint
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_client import CERTIFICATE, HOST_KEYS

_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_FIELDS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
}
_WEAK = (b"ssh-rsa", b"ssh-dss")


class _DoubtError(ValueError):
    """Why a certificate proves nothing."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the library does not show of a certificate: the authority's key, and how it signed."""

    authority: bytes
    algorithm: bytes


def asked_keys(known: KnownKeys) -> tuple[str, ...]:
    """The kinds of host key to ask for: those by which the host can be known come first."""
    kinds = [one for kind in known.types for one in (_RSA if kind == "ssh-rsa" else (kind,))]
    certificates = [f"{kind}{CERTIFICATE}" for kind in HOST_KEYS] if known.authorities else []
    first = [kind for kind in kinds if kind in HOST_KEYS]
    return tuple(dict.fromkeys([*certificates, *first, *HOST_KEYS]))


def trusted(key: paramiko.PKey, access: SshAccess, known: KnownKeys) -> bytes:
    """The public key of a host that is known; paramiko has verified that the host holds its private half.

    Raises:
        CollectError: revoked, changed, unknown, or with a certificate that proves nothing.

    """
    blob = key.asbytes()
    certificate = getattr(getattr(key, "public_blob", None), "key_blob", b"")
    seen = f"{key.get_name()} {fingerprint(blob)}"
    if blob in known.revoked or certificate in known.revoked:
        raise _refused(f"{access.name}: the host key {seen} is revoked in known_hosts")
    doubt = ""
    if certificate and known.authorities:
        try:
            _vouched(certificate, access.alias or access.host, known)
        except _DoubtError as error:
            doubt = str(error)
        else:
            return blob
    if blob in {one for _, one in known.accepted}:
        return blob
    if doubt:
        raise _refused(
            f"{access.name}: the certificate of the host key {seen} does not count: {doubt}; "
            "nothing was sent to the host",
            "a host certificate of the authority in known_hosts, or the host's key in known_hosts",
        )
    if known.accepted:
        was = ", ".join(f"{kind} {fingerprint(one)}" for kind, one in known.accepted)
        raise _refused(
            f"{access.name}: THE HOST KEY HAS CHANGED: known is {was}, the host shows {seen}; "
            "nothing was sent to it",
            "somebody who knows why the key changed, then its new line in known_hosts",
        )
    vouched = " and it shows no certificate of the authority in known_hosts" if known.authorities else ""
    raise _refused(
        f"{access.name}: unknown host key {seen}{vouched}; nothing was sent to it. Compare it with the "
        f"host's own (`ssh-keygen -lf` on its .pub file), then enrol it: "
        f"`bartizan hosts enrol {access.word}`",
        "the host's key in known_hosts",
    )


def _refused(message: str, needs: str = "") -> CollectError:
    return CollectError(Failure.HOST_KEY, message, needs)


def _vouched(blob: bytes, name: str, known: KnownKeys, now: float | None = None) -> None:
    """Nothing, if an authority for the host signed this certificate for it, and it is valid now."""
    parts = _parts(blob)
    kind, _ = _string(blob, 0)
    try:
        found = load_ssh_public_identity(kind + b" " + base64.b64encode(blob))
    except (ValueError, UnsupportedAlgorithm):
        raise _DoubtError("it cannot be read") from None
    if not isinstance(found, SSHCertificate) or found.type is not SSHCertificateType.HOST:
        raise _DoubtError("it is no certificate of a host")
    if parts.authority in known.revoked:
        raise _DoubtError("its authority is revoked in known_hosts")
    if parts.authority not in {key for _, key in known.authorities}:
        raise _DoubtError(
            f"it is signed by {fingerprint(parts.authority)}, which is no authority for this host"
        )
    if parts.algorithm in _WEAK:
        raise _DoubtError(f"it is signed with {parts.algorithm.decode()}, which is broken")
    try:
        found.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise _DoubtError("its signature is wrong") from None
    moment = time.time() if now is None else now
    if not found.valid_after <= moment < found.valid_before:
        times = f"{_day(found.valid_after)} to {_day(found.valid_before)}"
        raise _DoubtError(f"it is valid from {times}, and not now")
    if found.critical_options:
        raise _DoubtError("it has a condition that is not understood")
    principals = [one.decode("utf-8", "replace").lower() for one in found.valid_principals]
    if name.lower() not in principals:
        shown = ", ".join(principals)[:120] or "nobody in particular"
        raise _DoubtError(f"it is for {shown!r}, not for {name}")


def _parts(blob: bytes) -> _Parts:
    """Walks through the fields of a certificate to those that come last."""
    try:
        kind, place = _string(blob, 0)
        plain = kind.decode("ascii").removesuffix(CERTIFICATE)
        for _ in range(1 + _FIELDS[plain]):
            _, place = _string(blob, place)
        place += 8 + 4
        for _ in range(2):
            _, place = _string(blob, place)
        place += 8 + 8
        for _ in range(3):
            _, place = _string(blob, place)
        authority, place = _string(blob, place)
        signature, _ = _string(blob, place)
        algorithm, _ = _string(signature, 0)
    except (LookupError, ValueError, struct.error):
        raise _DoubtError("it cannot be read") from None
    return _Parts(authority, algorithm)


def _string(data: bytes, place: int) -> tuple[bytes, int]:
    [length] = struct.unpack_from("!I", data, place)
    end = place + 4 + int(length)
    if end > len(data):
        raise ValueError("a field that lies about its length")
    return data[place + 4 : end], end


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "ever"
