"""Our end of an SSH connection: which algorithms it speaks, and what the other end offered."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from paramiko.kex_curve25519 import KexCurve25519

from checks.fix import printable

if TYPE_CHECKING:
    from scanner.transport.ssh_line import Stream

# Without a handler of its own, paramiko's errors would be printed on stderr by logging's last resort.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

CERTIFICATE = "-cert-v01@openssh.com"
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""The kinds of host key that are understood, best first."""

BROKEN = (
    paramiko.SSHException,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
)
"""What paramiko raises where a server sends what it should not."""

# The order is that of speed among strong ones: elliptic curves cost a login about 1 ms, the classic groups
# 30 to 110 ms; GCM needs no MAC beside it. CBC and SHA-1 MACs serve only servers that know nothing better.
_KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
)
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
)
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)
_SHOWN = 400
# The same exchange under the name that became the standard; paramiko knows only the older one.
_EXCHANGES: dict[str, Any] = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]
_SPOKEN = tuple(name for name in _KEX if name in _EXCHANGES)


@dataclass(frozen=True, slots=True)
class Offer:
    """The algorithms of one end: key exchanges, kinds of host key, ciphers and MACs, in its order."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(
            f"{what} {printable(', '.join(names))[:_SHOWN] or 'none'}"
            for what, names in (
                ("key exchange", self.kex),
                ("host key", self.host_keys),
                ("cipher", self.ciphers),
                ("MAC", self.macs),
            )
        )


class Client(paramiko.Transport):
    """A paramiko transport with our algorithms. `host_keys` are the kinds of host key to ask for, in order.

    `offer` is what the server offered, as soon as it has said so.
    """

    _kex_info = _EXCHANGES
    _preferred_kex = _SPOKEN
    _preferred_ciphers = _CIPHERS
    _preferred_macs = _MACS
    # How often the reading thread wakes up for nothing. A connection that is shut wakes it at once.
    _active_check_timeout = 1.0

    def __init__(self, stream: Stream, host_keys: Iterable[str]) -> None:
        self.asked_keys = tuple(host_keys)
        self.offer: Offer | None = None
        super().__init__(stream)  # type: ignore[arg-type]

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The kinds of host key that are asked for."""
        return self.asked_keys

    def _really_parse_kex_init(self, m: Any, ignore_first_byte: bool = False) -> Any:
        parsed = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        if not ignore_first_byte and self.offer is None:
            self.offer = Offer(
                tuple(
                    name
                    for name in parsed["kex_algo_list"]
                    if not name.startswith(("ext-info-", "kex-strict-"))
                ),
                tuple(parsed["server_key_algo_list"]),
                tuple(parsed["server_encrypt_algo_list"]),
                tuple(parsed["server_mac_algo_list"]),
            )
        return parsed


OURS = Offer(_SPOKEN, HOST_KEYS, _CIPHERS, _MACS)
"""What this library speaks."""
