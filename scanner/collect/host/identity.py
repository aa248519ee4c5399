"""The lasting names of a host, and its addresses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from ipaddress import ip_address

from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
for file in /etc/machine-id /var/lib/dbus/machine-id; do
  [ -s "$file" ] || continue
  has sha256sum && grep -qE '^[0-9a-f]{32}$' "$file" || continue
  printf 'machine\t%s\n' "$(head -n 1 "$file" | tr -d '\n' | sha256sum | cut -c 1-32)"
  break
done
for file in /etc/ssh/ssh_host_*_key.pub; do
  [ -r "$file" ] && printf 'key\t%s\n' "$(head -n 1 "$file" | cut -d ' ' -f 1-2)"
done
if has ip && ip -o addr show >/dev/null 2>&1; then
  ip -o addr show | awk '{ print "address\t" $2 "\t" $4 }'
else
  awk '/32 host LOCAL/ { print "address\t\t" last } { last = $2 }' /proc/net/fib_trie 2>/dev/null | sort -u
  awk '{ print "address\t" $6 "\t" $1 }' /proc/net/if_inet6 2>/dev/null
fi
exit 0
"""
_INNER = re.compile(r"(docker|br-|virbr|veth|cni|podman|lxcbr|lxdbr|flannel|cali)")
"""Interfaces to containers and virtual machines: their addresses repeat on every such host."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a host, strongest first, and its addresses beyond loopback.

    `outer` are the addresses by which others can know it: without those of inner bridges.
    """

    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    outer: tuple[str, ...] = ()


def read(text: str) -> Identity:
    """The identity in an answer.

    Raises:
        ParseError: a line of another form.

    """
    machine: list[str] = []
    keys: set[str] = set()
    addresses: dict[str, str] = {}
    for row in rows(text):
        match row:
            case ["machine", digest] if re.fullmatch(r"[0-9a-f]{32}", digest):
                machine.append(f"machine-id:{digest}")
            case ["key", key]:
                keys.add(f"ssh-host-key:{fingerprint(key)}")
            case ["address", interface, address]:
                addresses.setdefault(_address(address), interface)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    seen = [one for one in addresses if not (ip_address(one).is_loopback or ip_address(one).is_link_local)]
    return Identity(
        names=(*machine, *sorted(keys)),
        addresses=tuple(sorted(seen)),
        outer=tuple(sorted(one for one in seen if not _INNER.match(addresses[one]))),
    )


def fingerprint(public_key: str) -> str:
    """`SHA256:…` of a public key line (`ssh-ed25519 AAAA…`), as ssh-keygen prints it.

    Raises:
        ParseError: not base64.

    """
    try:
        blob = base64.b64decode(public_key.partition(" ")[2], validate=True)
    except binascii.Error:
        raise ParseError("a host's public key is not base64") from None
    if not blob:
        raise ParseError("a host's public key is empty")
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _address(text: str) -> str:
    bare = text.partition("/")[0].partition("%")[0]
    if re.fullmatch(r"[0-9a-f]{32}", bare):
        bare = ":".join(bare[i : i + 4] for i in range(0, 32, 4))
    try:
        return str(ip_address(bare))
    except ValueError:
        raise ParseError(f"no address: {text[:50]!r}") from None


def _no_facts(text: str) -> Collected:
    read(text)
    return Collected()


PROBE = Probe("identity", (), _SCRIPT, _no_facts, how="machine-id, host keys and addresses", limit=32_768)
