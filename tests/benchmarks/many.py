"""A thousand hosts in one scan: how much memory the scanner needs.

The hosts are addresses of one real host. Each has an SSH host key, a machine id and an address of its own;
behind them a real sshd, started for each connection, answers the script with what a real host once said.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner.collect.host.collect import PROBES
from scanner.collect.host.identity import PROBE as IDENTITY
from scanner.collect.host.script import compose
from tests.benchmarks.audit import SCOPE, scan
from tests.lab.hosts import Host, Lab, lab
from tests.lab.network import inside

HOSTS = 1000
_BACKLOG = 64
_REPLAY = r"""#!/bin/sh
# Reads the script to its end, and answers with the nonce that stands in it.
nonce=$(sed -n "s/^MARK='#\([0-9a-f]*\)'$/\1/p")
sed -e "s/@NONCE@/$nonce/" -e "s/@MACHINE@/$(printf '%032x' "$1")/" -e "s|@ADDRESS@|$2|" /root/recorded
"""


def main(number: int = HOSTS) -> None:
    """Prints the time and the peak memory of a scan of so many hosts."""
    with lab() as net:
        began = time.perf_counter()
        with standing(net, number) as scope:
            print(f"{number} hosts stand after {time.perf_counter() - began:.0f} s")
            began = time.perf_counter()
            said, peak = scan(net, scope, net.folder)
            wall = time.perf_counter() - began
        assert f"{number} of {number} targets seen" in said, said[-2000:]
    print(
        f"scan of {number} hosts: {wall:.0f} s, "
        f"peak memory of the scanner {peak / 1024:.0f} MiB (goal: below 200)"
    )


@contextmanager
def standing(net: Lab, number: int) -> Iterator[Path]:
    """The scope file of so many hosts, each ready for one login at a time."""
    host = net.host("bookworm")
    _record(host)
    addresses = [next(net.addresses) for _ in range(number)]
    commands = "".join(f"address add {one}/16 dev eth0\n" for one in addresses)
    host.run("ip -batch -", stdin=commands.encode())
    keys = net.folder / "keys"
    keys.mkdir()
    known = [f"{address} {_key(keys / str(n))}\n" for n, address in enumerate(addresses)]
    (net.folder / "known").write_text("".join(known))
    rows = [
        f'  - {{name: host-{n}, address: "{address}", user: root, key: "file:{net.key}", '
        f'known_hosts: "file:{net.folder / "known"}"}}\n'
        for n, address in enumerate(addresses)
    ]
    scope = net.folder / "scope.yaml"
    scope.write_text(SCOPE + "".join(rows))
    config = net.folder / "sshd_config"
    config.write_text("PermitRootLogin yes\nUsePAM no\nLogLevel QUIET\nPrintMotd no\n")
    host.path("/root/keys").mkdir(mode=0o700)
    for one in keys.iterdir():
        copy = host.path(f"/root/keys/{one.name}")
        copy.write_bytes(one.read_bytes())
        copy.chmod(0o600)
    host.path("/root/sshd_config").write_bytes(config.read_bytes())
    with ExitStack() as stack:
        _listen(stack, host, addresses)
        yield scope


def _record(host: Host) -> None:
    """Keeps on the host what it answers to the whole script, with places where hosts differ."""
    nonce = secrets.token_hex(16)
    script = compose((IDENTITY, *PROBES), nonce).encode()
    done = subprocess.run([*host.enter, "sh", "-s"], input=script, capture_output=True, check=True)
    text = done.stdout.replace(nonce.encode(), b"@NONCE@")
    text = re.sub(rb"(?m)^machine\t[0-9a-f]{32}$", b"machine\t@MACHINE@", text)
    text = re.sub(rb"(?m)^key\t.*\n", b"", text)
    text = re.sub(rb"(?m)^(address\teth0\t)10\..*$", rb"\1@ADDRESS@/16", text)
    assert text.count(b"@MACHINE@") == 1
    host.path("/root/recorded").write_bytes(text)
    host.path("/root/replay").write_text(_REPLAY)
    host.path("/root/replay").chmod(0o755)


def _key(path: Path) -> str:
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))
    return key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()


def _listen(stack: ExitStack, host: Host, addresses: Sequence[str]) -> None:
    """Accepts for all addresses of the host, and gives each connection to an sshd of its own."""
    space = Path(f"/proc/{host.pid}/ns/net")

    def opened() -> socket.socket:
        server = socket.create_server(("0.0.0.0", 2222), backlog=_BACKLOG * 8)
        server.settimeout(0.3)
        return server

    host.run(
        "nft 'table ip lab { chain pre { type nat hook prerouting priority dstnat; "
        f"ip daddr != {host.address} tcp dport 22 redirect to :2222; }}; }}'"
    )
    server = stack.enter_context(inside(space, opened))
    over = threading.Event()
    numbers = {address: n for n, address in enumerate(addresses)}
    running: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        while not over.is_set():
            running[:] = [one for one in running if one.poll() is None]
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                running.append(_answer(host, connection, numbers))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    stack.callback(thread.join, 10)
    stack.callback(over.set)


def _answer(host: Host, connection: socket.socket, numbers: dict[str, int]) -> subprocess.Popen[bytes]:
    address = _meant(connection)
    number = numbers[address]
    options = ["-o", f"ForceCommand=/root/replay {number + 1} {address}", "-h", f"/root/keys/{number}"]
    handle = connection.fileno()
    return subprocess.Popen(
        [*host.enter, "/usr/sbin/sshd", "-i", "-f", "/root/sshd_config", *options],
        stdin=handle,
        stdout=handle,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )


def _meant(connection: socket.socket) -> str:
    """The address that the client asked for, before it was redirected."""
    raw = connection.getsockopt(socket.SOL_IP, 80, 16)  # SO_ORIGINAL_DST
    return socket.inet_ntoa(raw[4:8])
