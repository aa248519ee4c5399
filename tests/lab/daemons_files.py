"""Files and directories: FTP, rsync, TFTP, SMB, LDAP."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.parts import program
from tests.lab.services import certificate


def ftp(anonymous: bool, tls: bool, place: Place) -> Prepared:
    """An FTP server, anonymous or not, with or without TLS."""
    port = place.port(21)
    root = place.directory("empty", 0o555)
    lines = [
        "listen=YES", f"listen_address={place.address}", f"listen_port={port}", "background=NO",
        "write_enable=NO", f"anonymous_enable={'YES' if anonymous else 'NO'}", "local_enable=YES",
        f"anon_root={root}", f"secure_chroot_dir={root}", "seccomp_sandbox=NO", "no_anon_password=NO",
    ]  # fmt: skip
    if tls:
        made = certificate(place.folder, names=(place.address,))
        lines += ["ssl_enable=YES", f"rsa_cert_file={made.certificate}", f"rsa_private_key_file={made.key}",
                  "force_local_logins_ssl=YES", "force_local_data_ssl=YES"]  # fmt: skip
    config = place.write("vsftpd.conf", "\n".join(lines) + "\n")
    return Prepared(("vsftpd", str(config)), (port,))


def rsync(auth: bool, place: Place) -> Prepared:
    """An rsync daemon with one module, open to everybody or for one user only."""
    port = place.port(873)
    site = place.directory("backup")
    extra = f"auth users = backup\nsecrets file = {place.folder}/secrets\n" if auth else ""
    place.write("secrets", "backup:x\n", 0o600)
    config = place.write(
        "rsyncd.conf",
        f"use chroot = no\nlog file = {place.folder}/rsync.log\n[backup]\npath = {site}\nread only = yes\n"
        f"list = yes\ncomment = nightly\n{extra}",
    )
    return Prepared(("rsync", "--daemon", "--no-detach", f"--address={place.address}", f"--port={port}",
                     f"--config={config}"), (port,))  # fmt: skip


def tftpd(place: Place) -> Prepared:
    """A TFTP server."""
    port = place.port(69)
    site = place.directory("tftp")
    return Prepared(("in.tftpd", "-4", "-L", "-s", "-a", f"{place.address}:{port}", str(site)), (), (port,))


def samba(good: bool, place: Place) -> Prepared:
    """An SMB server: a share for guests and SMB 1 without signing, or SMB 3 with signing and no guest."""
    port = place.port(445)
    share = place.directory("share")
    run = place.directory("samba")
    for name in ("private", "lock", "state", "cache", "ncalrpc"):
        place.directory(f"samba/{name}", 0o700 if name == "private" else 0o755)
    kind = (
        "server min protocol = SMB3\nserver signing = mandatory\nmap to guest = never\n"
        "restrict anonymous = 2\n"
        if good
        else "server min protocol = NT1\nserver signing = disabled\nmap to guest = Bad User\n"
    )
    guest = "" if good else f"[public]\npath = {share}\nguest ok = yes\nread only = yes\n"
    config = place.write(
        "smb.conf",
        f"[global]\nworkgroup = LAB\nnetbios name = LAB\nserver role = standalone server\n{kind}"
        f"interfaces = {place.address}/32\nbind interfaces only = yes\nsmb ports = {port}\n"
        f"disable netbios = yes\nlog file = {place.folder}/smb.log\nprivate dir = {run}/private\n"
        f"lock directory = {run}/lock\nstate directory = {run}/state\ncache directory = {run}/cache\n"
        f"pid directory = {run}\nncalrpc dir = {run}/ncalrpc\nload printers = no\nprinting = bsd\n"
        f"printcap name = /dev/null\ndisable spoolss = yes\n{guest}",
    )
    return Prepared(("smbd", "--foreground", "--no-process-group", f"--configfile={config}"), (port,))


def slapd(anonymous: bool, place: Place) -> Prepared:
    """An LDAP directory with one entry that anybody may read, or that answers only after a login."""
    port = place.port(389)
    data = place.directory("data")
    closed = "" if anonymous else "disallow bind_anon\nrequire authc\n"
    config = place.write(
        "slapd.conf",
        f"include /etc/ldap/schema/core.schema\npidfile {place.folder}/pid\nargsfile {place.folder}/args\n"
        f"modulepath /usr/lib/ldap\nmoduleload back_ldif\n{closed}"
        f'database ldif\nsuffix "dc=lab,dc=test"\ndirectory {data}\n'
        'rootdn "cn=admin,dc=lab,dc=test"\naccess to * by * read\n',
    )
    assert Path("/etc/ldap/schema/core.schema").is_file()
    entry = place.write(
        "entry.ldif",
        "dn: dc=lab,dc=test\nobjectClass: organization\nobjectClass: dcObject\no: lab\ndc: lab\n",
    )
    subprocess.run([program("slapadd"), "-f", str(config), "-l", str(entry)], check=True, capture_output=True)
    return Prepared(("slapd", "-d", "0", "-f", str(config), "-h", f"ldap://{place.address}:{port}/"), (port,))


DAEMONS: Mapping[str, Preparer] = {
    "ftp-anonymous": functools.partial(ftp, True, False),
    "ftp-cleartext": functools.partial(ftp, False, False),
    "ftp-good": functools.partial(ftp, False, True),
    "rsync-open": functools.partial(rsync, False),
    "rsync-good": functools.partial(rsync, True),
    "tftpd": tftpd,
    "samba-guest": functools.partial(samba, False),
    "samba-good": functools.partial(samba, True),
    "slapd-anonymous": functools.partial(slapd, True),
    "slapd-good": functools.partial(slapd, False),
}
