"""Which of our checks tells what Lynis and OpenSCAP tell, and what they tell that we do not.

The keys are the peers' own names of their tests; a list without a check is a topic that Bartizan leaves
out on purpose, and `LEFT_OUT` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_SSH = {
    "AllowTcpForwarding": ("host.ssh-session.forwarding",),
    "AllowAgentForwarding": ("host.ssh-session.forwarding",),
    "ClientAliveCountMax": ("host.ssh-session.idle",),
    "IgnoreRhosts": ("host.ssh.rhosts",),
    "LogLevel": ("host.ssh.log-level",),
    "MaxAuthTries": ("host.ssh.max-auth-tries",),
    "MaxSessions": ("host.ssh-session.max-sessions",),
    "PermitRootLogin": ("host.ssh.root-login",),
    "PermitUserEnvironment": ("host.ssh.user-environment",),
    "PermitTunnel": ("host.ssh-session.tunnels",),
    "StrictModes": ("host.ssh-server.strict-modes",),
    "X11Forwarding": ("host.ssh.x11-forwarding",),
}

LYNIS: Mapping[str, tuple[str, ...]] = {
    "BOOT-5122": ("host.boot.menu-password",),
    "BOOT-5264": ("host.listening.not-root",),
    "KRNL-5788": ("host.patch.reboot",),
    "AUTH-9204": ("host.accounts.uid-zero",),
    "AUTH-9208": ("host.accounts.own-ids",),
    "AUTH-9222": ("host.account-groups.own-ids", "host.account-groups.primary"),
    "AUTH-9229": ("host.accounts.password-hash",),
    "AUTH-9230": ("host.pam.hash",),
    "AUTH-9262": ("host.pam-quality.module",),
    "AUTH-9282": ("host.password-ageing.maximum",),
    "AUTH-9283": ("host.accounts.empty-password",),
    "AUTH-9286": ("host.password-ageing.default-minimum", "host.password-ageing.default-maximum"),
    "AUTH-9328": ("host.login-rules.umask",),
    "FILE-6310": ("host.filesystems.tmp-separate",),
    "USB-1000": ("host.kernel-modules.usb-storage",),
    "PKGS-7370": ("host.integrity.programs",),
    "PKGS-7392": ("host.patch.security-updates",),
    "PKGS-7394": ("host.patch.security-updates",),
    "PKGS-7420": ("host.upkeep.automatic-updates",),
    "NETW-3200": ("host.kernel-modules.protocols",),
    "NETW-3015": ("host.network-stack.promiscuous",),
    "FIRE-4512": ("host.firewall.active",),
    "FIRE-4590": ("host.firewall.active",),
    "HTTP-6710": ("host.web.tls-versions",),
    "SNMP-3306": ("host.shares.snmp-communities",),
    "DBS-1884": ("host.databases.redis-password",),
    "LOGG-2130": ("host.logging.daemon",),
    "LOGG-2138": ("host.logging.daemon",),
    "LOGG-2154": ("host.logging.remote",),
    "LOGG-2190": ("host.upkeep.stale-programs",),
    "INSE-8006": ("host.unwanted-services.inetd",),
    "INSE-8016": ("host.unwanted-services.inetd",),
    "INSE-8320": ("host.unwanted-services.tftp",),
    "INSE-8322": ("host.unwanted-services.telnet",),
    "BANN-7126": ("host.banners.leak", "host.ssh-session.banner"),
    "BANN-7130": ("host.banners.leak", "host.ssh-session.banner"),
    "SCHD-7704": ("host.scheduled.root-programs", "host.files.scheduled-jobs"),
    "ACCT-9628": ("host.audit.daemon",),
    "FINT-4350": ("host.integrity.tool",),
    "FILE-7524": ("host.files.scheduled-jobs", "host.files.ssh-configuration"),
    "HOME-9304": ("host.homes.mode",),
    "HOME-9306": ("host.homes.owner",),
    "HRDN-7222": ("host.software.compilers",),
    "HRDN-7230": ("host.integrity.malware-scanner",),
    "KRNL-6000": ("host.kernel.aslr", "host.kernel.redirects-accepted"),
    "TIME-3104": ("host.services.time-sync",),
    **{f"SSH-7408 {option}": checks for option, checks in _SSH.items()},
}

OSCAP: Mapping[str, tuple[str, ...]] = {
    "partition_for_tmp": ("host.filesystems.tmp-separate",),
    "partition_for_var_log": ("host.filesystems.log-space",),
    "package_audit_installed": ("host.audit.daemon",),
    "rsyslog_files_groupownership": ("host.files.login-logs",),
    "rsyslog_files_ownership": ("host.files.login-logs",),
    "rsyslog_files_permissions": ("host.files.login-logs",),
    "sysctl_fs_protected_hardlinks": ("host.kernel.links",),
    "sysctl_fs_protected_symlinks": ("host.kernel.links",),
    "sysctl_fs_suid_dumpable": ("host.kernel.core-dumps",),
    "sysctl_kernel_randomize_va_space": ("host.kernel.aslr",),
    "file_permissions_etc_passwd": ("host.files.accounts",),
    "file_permissions_etc_shadow": ("host.files.password-hashes",),
    "file_permissions_etc_group": ("host.files.accounts",),
    "file_permissions_etc_gshadow": ("host.files.password-hashes",),
    "package_ntp_installed": ("host.services.time-sync",),
    "service_ntp_enabled": ("host.services.time-sync",),
    "sshd_set_keepalive_0": ("host.ssh-session.idle",),
    "sshd_set_keepalive": ("host.ssh-session.idle",),
    "sshd_set_idle_timeout": ("host.ssh-session.idle",),
    "sshd_disable_empty_passwords": ("host.ssh.empty-passwords",),
    "sshd_disable_root_login": ("host.ssh.root-login",),
    "sudo_remove_no_authenticate": ("host.sudo.authenticate",),
    "sudo_remove_nopasswd": ("host.sudo.no-password",),
    "package_syslogng_installed": ("host.logging.daemon",),
    "service_syslogng_enabled": ("host.logging.daemon",),
    "package_rsyslog_installed": ("host.logging.daemon",),
    "service_rsyslog_enabled": ("host.logging.daemon",),
    "apt_sources_list_official": ("host.sources.third-party",),
    "package_telnetd_removed": ("host.unwanted-services.telnet",),
    "package_inetutils-telnetd_removed": ("host.unwanted-services.telnet",),
    "package_nis_removed": ("host.unwanted-services.nis",),
    "package_ntpdate_removed": ("host.services.one-time-daemon",),
}

_A_TOOL = "the absence of one more tool is no weakness by itself"
_TASTE = "a matter of taste: it takes nothing from an attacker"
LEFT_OUT: Mapping[str, str] = {
    "LYNIS": "the age of the peer itself",
    "DEB-0280": _A_TOOL,
    "DEB-0810": _A_TOOL,
    "DEB-0811": _A_TOOL,
    "DEB-0831": "host.upkeep.stale-programs tells itself what that tool would tell",
    "AUTH-9284": "a locked account is the good state; host.account-logins.stale tells of unused ones",
    "ensure_logrotate_activated": "rotation is on, and every week is as good as every day",
    "partition_for_var_log_audit": "host.filesystems.audit-log-space asks for it where audits are written",
    "DEB-0880": "guessing passwords over SSH is closed by keys; host.pam.lockout has the rest",
    "BOOT-5180": "a question that the peer could not answer without a booted system",
    "STRG-1846": "no interface of this kind is on a server of today",
    "NAME-4028": _TASTE,
    "PKGS-7308": "the peer's own trouble with a package of the test host",
    "ACCT-9622": "superseded by the audit of commands, host.audit.commands-as-root",
    "ACCT-9626": "performance figures, no security",
    "TOOL-5002": _A_TOOL,
    "SSH-7408 Compression": "closed in OpenSSH since 7.4: it begins after the login",
    "SSH-7408 Port": "another port is no protection",
    "SSH-7408 TCPKeepAlive": _TASTE,
    "partition_for_home": "host.filesystems.home-options judges one that is there",
    "partition_for_var": "host.filesystems.log-space judges what fills /var",
    "file_permissions_systemmap": "the kernel's addresses are those of a published package",
}


@dataclass(frozen=True)
class Missing:
    """What a peer told: topics without a check of ours, and checks that should have failed and did not."""

    unmapped: tuple[str, ...]
    silent: tuple[str, ...]
    told: int
    left_out: int


def missing(told: frozenset[str], table: Mapping[str, tuple[str, ...]], failing: frozenset[str]) -> Missing:
    """Compares what a peer told with the checks that failed on the same host."""
    unmapped = sorted(one for one in told if one not in table and one not in LEFT_OUT)
    silent = sorted(one for one in told if one in table and failing.isdisjoint(table[one]))
    heard = sum(one in table and not failing.isdisjoint(table[one]) for one in told)
    return Missing(tuple(unmapped), tuple(silent), heard, sum(one in LEFT_OUT for one in told))
