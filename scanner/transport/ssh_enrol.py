"""What a host shows of itself before it is known: its keys, of every kind it has."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.known_hosts import KnownKeys, fingerprint, key_type, known_name
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_client import BROKEN, CERTIFICATE, HOST_KEYS, Client
from scanner.transport.ssh_jump import shake_hands, way_to
from scanner.transport.ssh_line import NoAlgorithmError
from scanner.transport.ssh_trust import trusted

_UNPROVEN = frozenset({Failure.RESET, Failure.PROTOCOL, Failure.TRUNCATED, Failure.ALGORITHMS})
_SCAN_BYTES = 65_536

KNOWN, NEW, CHANGED, REVOKED = "known", "new", "changed", "revoked"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A public key of which a host proved to hold the private half; `state` is what known_hosts says."""

    kind: str
    blob: bytes
    state: str

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh-keygen prints it."""
        return fingerprint(self.blob)


@dataclass(frozen=True, slots=True)
class Shown:
    """All keys that a host showed; `name` is how known_hosts names it, `vouched` for by an authority."""

    name: str
    keys: tuple[ShownKey, ...]
    vouched: bool = False

    def of(self, state: str) -> tuple[ShownKey, ...]:
        """Its keys of one state."""
        return tuple(one for one in self.keys if one.state == state)

    @property
    def replaced(self) -> bool:
        """Whether the host is known and is not the one that is known."""
        return bool(self.of(CHANGED) or self.of(REVOKED))


def shown_keys(access: SshAccess, context: Context) -> Shown:
    """Asks a host for its keys, one connection for each kind; nobody logs in to it, only to its jumps.

    Raises:
        CollectError: it is not reached, or no key exchange comes about.

    """
    deadline = time.monotonic() + access.total_seconds
    known = access.known()
    blobs: dict[bytes, str] = {}
    left = [*HOST_KEYS, *([f"{kind}{CERTIFICATE}" for kind in HOST_KEYS] if known.authorities else [])]
    offered: tuple[str, ...] = ()
    vouched = False
    while left:
        try:
            key, client = _asked(access, context, deadline, tuple(left))
        except NoAlgorithmError as error:
            if offered or access.jumps:
                raise
            blobs = _scanned(access, error)
            break
        except CollectError as error:
            if not offered or error.failure not in _UNPROVEN:
                raise
            # Some servers offer a kind of which they have no key, and end where it is asked for.
            left = [kind for kind in left if kind not in _same(left[0])]
            continue
        if getattr(key, "public_blob", None) is not None:
            vouched = vouched or _vouched(key, access, known)
        else:
            blobs.setdefault(key.asbytes(), key.get_name())
        offered = client.offer.host_keys if client.offer else ()
        done = _same(str(client.host_key_type))
        left = [kind for kind in left if kind in offered and kind not in done]
    return Shown(access.alias or known_name(access.host, access.port), _judged(blobs, known), vouched)


def _asked(
    access: SshAccess, context: Context, deadline: float, kinds: tuple[str, ...]
) -> tuple[paramiko.PKey, Client]:
    with way_to(access, context, deadline) as way:
        try:
            client = shake_hands(way.line, way.stream, kinds)
            return client.get_remote_server_key(), client
        except BROKEN as error:
            raise way.line.explained(error) from None


def _scanned(access: SshAccess, hindrance: NoAlgorithmError) -> dict[bytes, str]:
    """The keys of a host with which our library has no algorithm in common, by the system's ssh-keyscan."""
    program = shutil.which("ssh-keyscan")
    if program is None:
        raise hindrance
    seconds = max(1, round(access.connect_seconds))
    command = [program, "-T", str(seconds), "-p", str(access.port), access.address or access.host]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, a number, and an address of the scope
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=6 * seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise hindrance from None
    found: dict[bytes, str] = {}
    for line in done.stdout[:_SCAN_BYTES].decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) == 3 and not line.startswith("#"):
            with suppress(ValueError):
                blob = base64.b64decode(words[2], validate=True)
                found[blob] = key_type(blob)
    if not found:
        raise hindrance
    return found


def _vouched(key: paramiko.PKey, access: SshAccess, known: KnownKeys) -> bool:
    try:
        trusted(key, access, KnownKeys((), known.revoked, known.authorities))
    except CollectError as error:
        if error.failure is not Failure.HOST_KEY:
            raise
        return False
    return True


def _same(kind: str) -> frozenset[str]:
    """The names under which a server shows the same key."""
    suffix = CERTIFICATE if kind.endswith(CERTIFICATE) else ""
    rsa = frozenset({f"rsa-sha2-512{suffix}", f"rsa-sha2-256{suffix}"})
    return rsa if kind in rsa else frozenset({kind})


def _judged(blobs: dict[bytes, str], known: KnownKeys) -> tuple[ShownKey, ...]:
    own = {blob for _, blob in known.accepted}
    # A host of which none of the known keys is left is another one, whatever kinds it shows.
    strange = bool(own) and own.isdisjoint(blobs)
    found = []
    for blob, kind in blobs.items():
        if blob in known.revoked:
            state = REVOKED
        elif blob in own:
            state = KNOWN
        else:
            state = CHANGED if strange or kind in known.types else NEW
        found.append(ShownKey(kind, blob, state))
    return tuple(found)
