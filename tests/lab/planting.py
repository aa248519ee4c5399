"""What is planted into the bad host: each line is one topic, and names the check that must tell of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planting:
    """One bad thing: its topic, the command by which root plants it, and the check that must fail.

    A command of `:` plants nothing: the packages of the bad host, or a bare host, have it. What is
    planted `apart` would hide others, so it goes to a host of its own.
    """

    topic: str
    shell: str
    expects: str
    apart: bool = False


PACKAGES = (
    "avahi-daemon",
    "gcc",
    "kmod",
    "nfs-kernel-server",
    "nginx-light",
    "openbsd-inetd",
    "openssl",
    "redis-server",
    "rpcbind",
    "rsync",
    "snmpd",
    "tftpd-hpa",
    "vsftpd",
)
"""What is installed on the bad host beside the planted settings."""

DOWNLOADS = (
    "aide",
    "apparmor",
    "auditd",
    "chrony",
    "libpam-pwquality",
    "needrestart",
    "openssl",
    "rsyslog",
    "sudo",
    "systemd-timesyncd",
    "unattended-upgrades",
)
KEEP = (
    'printf \'APT::Install-Recommends "false";\nAcquire::Retries "0";\n\' >/etc/apt/apt.conf.d/90lab; '
    f"for package in {' '.join(DOWNLOADS)}; do "
    'apt-get -qq -y -d --reinstall install "$package"; done'
)
"""What fixes install lies on the host as files, for it has no way to a mirror."""

KERNEL = {
    "kernel.randomize_va_space": "0",
    "kernel.yama.ptrace_scope": "0",
    "kernel.dmesg_restrict": "0",
    "kernel.kptr_restrict": "0",
    "kernel.unprivileged_bpf_disabled": "0",
    "kernel.perf_event_paranoid": "-1",
    "kernel.sysrq": "1",
    "fs.suid_dumpable": "2",
    "fs.protected_hardlinks": "0",
    "fs.protected_symlinks": "0",
    "fs.protected_fifos": "0",
    "fs.protected_regular": "0",
    "dev.tty.ldisc_autoload": "1",
    "vm.mmap_min_addr": "4096",
    "vm.unprivileged_userfaultfd": "1",
    "user.max_user_namespaces": "15000",
}
"""Bad values of the kernel, in files that stand in the place of the kernel's own."""


def option(option_: str, value: str, expects: str) -> Planting:
    """A line at the top of sshd_config, where the first value wins."""
    return Planting(
        f"sshd {option_}", f"sed -i '1i {option_} {value}' /etc/ssh/sshd_config", f"host.{expects}"
    )


def net(name: str, value: str, expects: str) -> Planting:
    """A setting of the host's own network."""
    return Planting(name, f"sysctl -qw {name}={value}", f"host.{expects}")


def mode(path: str, bits: str, expects: str, before: str = "") -> Planting:
    """Bad modes of a file or folder, which is made first where `before` says how."""
    made = f"{before}; " if before else ""
    return Planting(f"mode of {path}", f"{made}chmod {bits} {path}", f"host.files.{expects}")
