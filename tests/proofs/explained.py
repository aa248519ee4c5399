"""Why the fix of a check is not proved on a real host; each reason names what the test hosts lack."""

from __future__ import annotations

from collections.abc import Mapping

_NO_MIRROR = "it fetches from a mirror, and the test hosts have no way to one"
_NOT_BOOTED = "it needs a system that systemd booted, and the test hosts are not booted"
_KERNEL = "the kernel is the machine's own, and a test host may not change it"
_OWN_DISK = "it needs a filesystem of its own for that folder"
_FEEDS = (
    "it is judged from feeds of known flaws; the fix is the upgrade that host.patch.security-updates proves"
)
_FLEET = "it compares hosts; one host alone does not fail"
_LATER = "it passes only after the programs have run, a day later"

REASONS: Mapping[str, str] = {
    "host.account-logins.stale": "it needs a record of logins that is months old",
    "host.accounts.uid-zero": "the snippet locks the account; a person removes it",
    "host.boot.rescue-password": _NOT_BOOTED,
    "host.fleet.shared-host-key": _FLEET,
    "host.integrity.malware-scanner": _NO_MIRROR,
    "host.kernel.bpf-compiler": _KERNEL,
    "host.kernel.magic-keys": _KERNEL,
    "host.kernel.mandatory-access": _KERNEL,
    "host.kernel.other-kernels": _KERNEL,
    "host.kernel.ptrace": _KERNEL,
    "host.leavers.accounts": "it fails only with a list of people who left",
    "host.leavers.keys": "it fails only with a list of people who left",
    "host.mandatory-access.profiles": _KERNEL,
    "host.network-stack.wireless": "it needs a wireless interface",
    "host.patch.package-lists": _NO_MIRROR,
    "host.patch.reboot": "the fix is a restart of the machine",
    "host.patch.security-source": _NO_MIRROR,
    "host.filesystems.home-options": _OWN_DISK,
    "host.filesystems.var-options": _OWN_DISK,
    "host.services.time-sync": "the clock is the machine's own, and a test host may not keep it",
    "host.unwanted-services.telnet": "here inetd listens, whose own fix is proved",
    "host.upkeep.automatic-updates": _LATER,
    "host.vulnerabilities.fixed-flaws": _FEEDS,
    "host.vulnerabilities.known-exploited": _FEEDS,
    "host.vulnerabilities.running-kernel": _FEEDS,
    "host.accounts.password-hash": "only the person can choose a new password; the snippet asks for it",
    "host.audit.loaded": _KERNEL,
    "host.listening.mail-local": "it needs a mail server, and none is on the test hosts",
    "host.patch.held-packages": "its undo holds the package again, at the version that is repaired",
    "host.patch.security-updates": _NO_MIRROR,
    "host.software.graphical-start": "it needs a desktop, and none is on the test hosts",
    "host.ssh-keys.root": "the snippet refuses to remove the key by which the test itself logs in",
}
"""By the id of the check."""
