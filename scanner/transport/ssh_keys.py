"""The keys for a login: read and judged before anybody is connected to, and read once a scan."""

from __future__ import annotations

import io
import stat
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificate,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.ssh import load_ssh_public_identity

from scanner.collect.collector import CollectError, Failure
from scanner.transport.lockout import Lockout
from scanner.transport.secrets import Secret

if TYPE_CHECKING:
    from scanner.transport.ssh_access import SshAccess

_KEY_BYTES = 65_536
_KINDS = (
    (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
    (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
    (rsa.RSAPrivateKey, paramiko.RSAKey),
)


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """A key to log in with. `file` is empty for one of the agent; `certificate` is what vouches for it."""

    key: paramiko.PKey
    file: Path | None = None
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class Logins:
    """What one scan remembers of its logins: the keys it has read, and who refused which of them.

    A key with a passphrase takes a good part of a second to open, so each is opened once. Safe in threads.
    """

    lockout: Lockout = field(default_factory=Lockout)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _keys: dict[tuple[object, ...], paramiko.PKey] = field(default_factory=dict, repr=False)

    def key(self, file: Path, passphrase: Secret | None, certificate: Path | None) -> paramiko.PKey:
        """The key of that file, with the certificate where one is given.

        Raises:
            CollectError: no key, one that others may read, or one that the passphrase does not open.

        """
        try:
            status = file.stat()
        except OSError as error:
            raise _refused(f"{file}: {error.strerror}") from None
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise _refused(f"{file}: the key is open to other users (mode {mode:04o}); run `chmod 600` on it")
        mark = (file, status.st_mtime_ns, status.st_size, id(passphrase), certificate)
        with self._lock:
            if mark not in self._keys:
                self._keys[mark] = _read_key(file, passphrase, certificate)
            return self._keys[mark]


def offered_keys(access: SshAccess) -> list[OfferedKey]:
    """The keys to offer, those with a certificate first.

    Raises:
        CollectError: no key, a key that others may read, that is no key, or that no passphrase opens.

    """
    found = [one for file in access.key_files for one in _of_file(file, access)]
    if access.use_agent:
        try:
            agent = [OfferedKey(key) for key in paramiko.Agent().get_keys()]
        except (OSError, paramiko.SSHException) as error:
            raise _refused(f"the SSH agent does not answer: {error}") from None
        own = {one.key.asbytes() for one in found}
        found += [one for one in agent if not access.identities_only or one.key.asbytes() in own]
    if not found:
        which = (
            "the agent holds no key"
            if access.use_agent
            else "no key file and no agent is configured (--ssh-key FILE, --ssh-agent)"
        )
        raise CollectError(Failure.CREDENTIALS, f"{access.name}: {which}", "a key for the login")
    return found


def certificate_end(file: Path | None) -> str:
    """When a certificate of a user stopped to be valid, in words; empty while it is valid or unknown."""
    try:
        found = load_ssh_public_identity(_certificate_bytes(file)) if file else None
    except (OSError, ValueError, UnsupportedAlgorithm):
        return ""
    if not isinstance(found, SSHCertificate) or time.time() < found.valid_before:
        return ""
    return datetime.fromtimestamp(found.valid_before, UTC).strftime("%Y-%m-%d %H:%M")


def _of_file(file: Path, access: SshAccess) -> Iterator[OfferedKey]:
    """The key with each certificate that fits, then the key alone, as OpenSSH offers them."""
    beside = file.with_name(f"{file.name}-cert.pub")
    for certificate in (*access.certificates, *((beside,) if beside.exists() else ())):
        try:
            yield OfferedKey(access.logins.key(file, access.passphrase, certificate), file, certificate)
        except _OtherKeyError:
            continue
    yield OfferedKey(access.logins.key(file, access.passphrase, None), file)


class _OtherKeyError(CollectError):
    """The certificate is one of another key."""


def _read_key(file: Path, passphrase: Secret | None, certificate: Path | None) -> paramiko.PKey:
    try:
        data = file.read_bytes()[:_KEY_BYTES]
        loaded = _opened(data, passphrase)
    except OSError as error:
        raise _refused(f"{file}: {error.strerror}") from None
    except TypeError:
        raise _refused(
            f"{file}: the key has a passphrase; say where it is kept (--ssh-passphrase, passphrase: in the "
            "scope), or load the key into an agent and use the agent"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        which = "the passphrase does not open it" if _locked(file) else "not a private key of a known kind"
        raise _refused(f"{file}: {which}") from None
    for kind, reader in _KINDS:
        if isinstance(loaded, kind):
            # paramiko opens a key twice; this way the costly part is done once.
            plain = loaded.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
            key: paramiko.PKey = reader.from_private_key(io.StringIO(plain))
            if certificate is not None:
                _certify(key, file, certificate)
            return key
    raise _refused(f"{file}: not a private key of a known kind")


def _opened(data: bytes, passphrase: Secret | None) -> object:
    """The private key in these bytes; a TypeError says that it needs a passphrase."""
    given = passphrase.reveal().encode() if passphrase else None
    for password in (given, None) if given else (None,):
        try:
            return load_ssh_private_key(data, password)
        except TypeError:
            # It has no passphrase, or has one and was given none.
            if password is None:
                raise
        except ValueError:
            with suppress(TypeError) if password else nullcontext():
                return load_pem_private_key(data, password)
    raise TypeError


def _locked(file: Path) -> bool:
    """Whether a key has a passphrase."""
    try:
        _opened(file.read_bytes()[:_KEY_BYTES], None)
    except TypeError:
        return True
    except (OSError, ValueError, UnsupportedAlgorithm):
        return False
    return False


def _certify(key: paramiko.PKey, file: Path, certificate: Path) -> None:
    try:
        text = _certificate_bytes(certificate)
        found = load_ssh_public_identity(text)
        blob = key.asbytes()
        key.load_certificate(text.decode("ascii", "replace"))
    except OSError as error:
        raise _refused(f"{certificate}: {error.strerror}") from None
    except (ValueError, LookupError, UnsupportedAlgorithm, paramiko.SSHException):
        raise _refused(f"{certificate}: not a certificate of a key of the kind of {file}") from None
    if not isinstance(found, SSHCertificate) or _plain(found) != blob:
        raise _OtherKeyError(
            Failure.CREDENTIALS, f"{certificate}: the certificate of another key than {file}"
        )


def _plain(certificate: SSHCertificate) -> bytes:
    """The public key that a certificate vouches for, as SSH writes it."""
    text = certificate.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return b64decode(text.split()[1])


def _certificate_bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_KEY_BYTES).strip()


def _refused(message: str) -> CollectError:
    return CollectError(Failure.CREDENTIALS, message)
