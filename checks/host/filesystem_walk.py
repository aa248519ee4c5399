"""Which programs are known to run with more rights than their caller, and which must never."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from checks.facts.host.files import UnownedPath


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN_PRIVILEGED = _words(
    """
    su su-rs sudo sudo-rs sudoedit doas pkexec polkit-agent-helper-1 dbus-daemon-launch-helper bbsuid ksu
    passwd chsh chfn newgrp sg gpasswd chage expiry unix_chkpwd unix2_chkpwd pam_timestamp_check
    pam_extrausers_chkpwd newuidmap newgidmap userhelper usernetctl utempter utmp lppasswd vlock-main
    mount umount fusermount fusermount3 ntfs-3g mount.nfs mount.nfs4 mount.cifs mount.ecryptfs_private
    ssh-keysign ssh-agent crontab at wall write write.ul bsd-write locate plocate mlocate
    ping ping6 arping fping traceroute6.iputils mtr-packet pinger clockdiff
    exim4 sendmail sendmail.sendmail postdrop postqueue procmail lockfile dotlockfile mail-lock mail-touchlock
    mail-unlock mlock maildrop chrome-sandbox Xorg.wrap snap-confine grub2-set-bootflag cockpit-session
    cockpit-wsinstance-socket-user staprun suexec suexec2 pppd lxc-user-nic qemu-bridge-helper
    spice-client-glib-usb-acl-helper vmware-user-suid-wrapper virtlxc screen
    krb5_child ldap_child selinux_child proxy_child p11_child sssd_pam basic_pam_auth kismet_capture
    dumpcap ntfsclone cdrecord smbmnt keysign camel-lock-helper-1.2 gnome-pty-helper
    """
)
"""Names of programs that distributions ship with the SUID or SGID bit."""

SHELL_CAPABLE = _words(
    """
    sh bash rbash dash ash zsh ksh mksh csh tcsh fish busybox toybox python perl ruby node nodejs lua luajit
    php tclsh wish expect gdb awk gawk mawk nawk vi vim vim.basic vim.tiny nvim view rvim nano pico ed emacs
    joe less more most man find env xargs tar bsdtar zip unzip cpio rsync cp mv dd tee cat tac head tail sed
    sort chmod chown chgrp install ln make gmake gcc cc strace ltrace nmap tcpdump socat nc ncat netcat
    openssl curl wget ftp git ssh scp sftp systemctl journalctl docker podman ctr runc nsenter unshare chroot
    capsh setpriv taskset nice ionice chrt timeout time watch script flock stdbuf setarch
    start-stop-daemon run-parts ip
    base64 xxd od hexdump jq sqlite3 mysql psql apt apt-get dpkg rpm dnf yum pip gem npm logrotate debugfs
    """
)
"""Names of programs that start others, or read and write any file, for whoever runs them."""

KNOWN_CAPABLE: Mapping[str, frozenset[str]] = {
    "ping": frozenset({"cap_net_raw"}),
    "ping6": frozenset({"cap_net_raw"}),
    "arping": frozenset({"cap_net_raw"}),
    "fping": frozenset({"cap_net_raw", "cap_net_admin"}),
    "pinger": frozenset({"cap_net_raw"}),
    "clockdiff": frozenset({"cap_net_raw", "cap_sys_nice"}),
    "mtr-packet": frozenset({"cap_net_raw"}),
    "newuidmap": frozenset({"cap_setuid"}),
    "newgidmap": frozenset({"cap_setgid"}),
    "dumpcap": frozenset({"cap_net_raw", "cap_net_admin", "cap_dac_override"}),
    "gst-ptp-helper": frozenset({"cap_net_admin"}),
    "suexec": frozenset({"cap_setgid", "cap_setuid"}),
    "krb5_child": frozenset({"cap_chown", "cap_dac_read_search", "cap_setgid", "cap_setuid"}),
    "ldap_child": frozenset({"cap_dac_read_search"}),
    "selinux_child": frozenset({"cap_setgid", "cap_setuid"}),
    "sssd_pam": frozenset({"cap_dac_read_search"}),
    "unix_chkpwd": frozenset({"cap_dac_override"}),
    "snap-confine": _words(
        """cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_setgid cap_setuid cap_sys_admin
        cap_sys_chroot cap_sys_ptrace"""
    ),
    "ksgrd_network_helper": frozenset({"cap_net_raw"}),
}
"""Programs that distributions ship with these capabilities, by name."""

HARMLESS = frozenset({"cap_net_bind_service", "cap_ipc_lock", "cap_sys_nice", "cap_wake_alarm"})
"""Capabilities that no program can turn into root."""

ROOT_EQUAL = _words(
    """
    all cap_setuid cap_setgid cap_setfcap cap_dac_override cap_dac_read_search cap_chown cap_fowner
    cap_sys_admin cap_sys_ptrace cap_sys_module cap_sys_rawio cap_sys_chroot cap_mknod cap_bpf cap_mac_admin
    """
)
"""Capabilities with which a program, made to obey, becomes root."""


def is_shell_capable(path: str) -> bool:
    """Whether the program's name, with or without a version (`python3.11`), is in `SHELL_CAPABLE`."""
    name = path.rpartition("/")[2]
    return name in SHELL_CAPABLE or re.sub(r"[-.]?\d[\d.]*$", "", name) in SHELL_CAPABLE


def capabilities_of(text: str) -> frozenset[str]:
    """The names of the capabilities in getcap's form; an empty name before the sign means all."""
    clauses = (re.split(r"[=+-]", clause, maxsplit=1)[0] for clause in text.split())
    return frozenset(name for names in clauses for name in (names or "all").split(","))


def unknown_capabilities(path: str, text: str, harmless: Iterable[str]) -> frozenset[str]:
    """The capabilities that are neither harmless nor known to belong to a program of that name."""
    known = KNOWN_CAPABLE.get(path.rpartition("/")[2], frozenset())
    return capabilities_of(text) - frozenset(harmless) - known


def topmost(paths: Iterable[UnownedPath]) -> Iterator[tuple[UnownedPath, int]]:
    """The topmost paths, each with the number of those below it that have the same owner and group."""
    tops: list[UnownedPath] = []
    below: dict[str, int] = {}
    for one in sorted(paths, key=lambda p: p.path.split("/")):
        above = next((t for t in tops if one.path.startswith(f"{t.path}/") and _same(one, t)), None)
        if above is None:
            tops.append(one)
        else:
            below[above.path] = below.get(above.path, 0) + 1
    return ((top, below.get(top.path, 0)) for top in tops)


def _same(one: UnownedPath, other: UnownedPath) -> bool:
    return (one.owner, one.group) == (other.owner, other.group)
