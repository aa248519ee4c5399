"""Shells and screens: SSH, telnet, VNC, X11, RDP."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.parts import program
from tests.lab.services import certificate

_DISPLAYS = count(1)
_ONE_AT_A_TIME = threading.Lock()

_OLD = (
    "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,curve25519-sha256",
    "Ciphers aes128-cbc,3des-cbc,aes128-ctr",
    "MACs hmac-md5,hmac-sha1,hmac-sha2-256",
    "HostKeyAlgorithms ssh-rsa,rsa-sha2-256",
    "PasswordAuthentication yes",
)
_NEW = (
    "KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256",
    "Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr",
    "MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com",
    "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
)


def host_keys() -> Path:
    """A folder with one set of host keys for all servers of a run that share theirs; safe from any thread."""
    with _ONE_AT_A_TIME:
        return _host_keys()


@functools.cache
def _host_keys() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="btz-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for kind in ("ed25519", "ecdsa", "rsa"):
        _key(folder / f"host_{kind}", kind)
    return folder


def _key(file: Path, kind: str) -> None:
    size = ("-b", "2048") if kind == "rsa" else ()
    command = [program("ssh-keygen"), "-q", "-t", kind, *size, "-N", "", "-f", str(file)]
    subprocess.run(command, check=True)


def sshd(options: tuple[str, ...], kinds: tuple[str, ...], shared: bool, place: Place) -> Prepared:
    """An OpenSSH server: old algorithms and passwords, shared host keys, or new algorithms and keys only."""
    port = place.port(22)
    keys = []
    for kind in kinds:
        file = host_keys() / f"host_{kind}"
        if not shared:
            file = place.folder / f"host_{kind}"
            _key(file, kind)
        keys.append(f"HostKey {file}")
    lines = [f"Port {port}", f"ListenAddress {place.address}", "PidFile none", "UsePAM no", *keys, *options]
    config = place.write("sshd_config", "\n".join(lines) + "\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    return Prepared(("sshd", "-D", "-e", "-f", str(config)), (port,))


def dropbear(place: Place) -> Prepared:
    """A dropbear with a fresh ed25519 key; passwords allowed."""
    port = place.port(22)
    key = place.folder / "key"
    subprocess.run([program("dropbearkey"), "-t", "ed25519", "-f", str(key)], check=True, capture_output=True)
    return Prepared(("dropbear", "-F", "-E", "-r", str(key), "-p", f"{place.address}:{port}", "-P",
                     str(place.folder / "pid")), (port,))  # fmt: skip


def telnetd(place: Place) -> Prepared:
    """A telnet server behind an internet super-server."""
    port = place.port(23)
    server = program("telnetd")
    config = place.write("inetd.conf", f"{place.address}:{port} stream tcp nowait root {server} telnetd\n")
    pid = place.folder / "pid"
    return Prepared(("inetutils-inetd", "-d", f"--pidfile={pid}", str(config)), (port,))


def vnc(security: str, place: Place) -> Prepared:
    """A VNC server: without a login (`None`), or with a password and TLS."""
    port = place.port(5900)
    secret = place.folder / "passwd"
    secret.write_bytes(os.urandom(8))
    command = ("Xvnc", f":{_display()}", "-rfbport", str(port), "-SecurityTypes", security, "-interface",
               place.address, "-geometry", "64x64", "-depth", "16", "-nolisten", "unix", "-nolisten", "tcp",
               "-PasswordFile", str(secret), "-pn")  # fmt: skip
    return Prepared(command, (port,))


def x11(place: Place) -> Prepared:
    """An X11 display that anybody may use over TCP; it does not start anew when its last client leaves."""
    display = 0 if place.namespace else _display()
    command = ("Xvfb", f":{display}", "-screen", "0", "64x64x8", "-ac", "-listen", "tcp", "-nolisten",
               "unix", "-pn", "-noreset")  # fmt: skip
    return Prepared(command, (6000 + display,))


def xrdp(layer: str, place: Place) -> Prepared:
    """A remote desktop without NLA: classic RDP security, or TLS."""
    port = place.port(3389)
    made = certificate(place.folder, names=("desk.lab.test",))
    config = place.write(
        "xrdp.ini",
        f"[Globals]\nini_version=1\nfork=true\nport=tcp://{place.address}:{port}\nuse_vsock=false\n"
        f"security_layer={layer}\ncrypt_level=low\ncertificate={made.certificate}\nkey_file={made.key}\n"
        "ssl_protocols=TLSv1.2, TLSv1.3\nmax_bpp=16\n[Logging]\nLogFile=xrdp.log\nLogLevel=INFO\n"
        "EnableSyslog=false\n[Xorg]\nname=Xorg\nlib=libxup.so\nusername=ask\npassword=ask\nip=127.0.0.1\n"
        "port=-1\ncode=20\n",
    )
    return Prepared(("xrdp", "--nodaemon", "--config", str(config)), (port,))


def _display() -> int:
    """A number of a display that no other process of ours has."""
    return 1000 + os.getpid() % 500 * 50 + next(_DISPLAYS)


DAEMONS: Mapping[str, Preparer] = {
    "sshd-old": functools.partial(sshd, _OLD, ("rsa",), False),
    "sshd-shared-key": functools.partial(sshd, _NEW, ("ed25519",), True),
    "sshd-passwords": functools.partial(sshd, (*_NEW[:4], "PasswordAuthentication yes"), ("ed25519",), False),
    "sshd-good": functools.partial(sshd, _NEW, ("ed25519",), False),
    "dropbear": dropbear,
    "telnetd": telnetd,
    "vnc-open": functools.partial(vnc, "None"),
    "vnc-good": functools.partial(vnc, "TLSVnc"),
    "x11-open": x11,
    "xrdp-old": functools.partial(xrdp, "rdp"),
    "xrdp-tls": functools.partial(xrdp, "tls"),
}
