"""The files that are watched, and who may do what with them."""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Severity

_ROOT = frozenset({"root"})


@dataclass(frozen=True, slots=True)
class Watched:
    """Files that one check judges: paths or patterns, the most open mode, and the owners it allows.

    `folder` is the most open mode of those paths that are folders. `severity` is for what others may
    read, `writable` for what somebody else may write.
    """

    id: str
    title: str
    why: str
    paths: tuple[str, ...]
    mode: str
    severity: Severity
    owners: frozenset[str] = _ROOT
    groups: frozenset[str] = _ROOT
    folder: str = "0755"
    writable: Severity = Severity.HIGH


_ACCOUNTS = (
    Watched(
        "accounts",
        "Only root writes the account files",
        "Who may write the account files makes themselves root with one line.",
        ("/etc/passwd", "/etc/group"),
        "0644",
        Severity.HIGH,
    ),
    Watched(
        "password-hashes",
        "Only root reads the password hashes",
        "Password hashes that others can read are guessed at leisure on another machine.",
        ("/etc/shadow", "/etc/gshadow"),
        "0640",
        Severity.CRITICAL,
        groups=frozenset({"root", "shadow"}),
        writable=Severity.CRITICAL,
    ),
    Watched(
        "account-backups",
        "Only root writes the backup copies of the account files",
        "Tools restore the account files from these copies, with whatever was written into them.",
        ("/etc/passwd-", "/etc/group-"),
        "0644",
        Severity.MEDIUM,
        writable=Severity.MEDIUM,
    ),
    Watched(
        "password-hash-backups",
        "Only root reads the backup copies of the password hashes",
        "The copy holds the same hashes as the original, and old passwords are seldom all changed.",
        ("/etc/shadow-", "/etc/gshadow-"),
        "0640",
        Severity.HIGH,
        groups=frozenset({"root", "shadow"}),
    ),
    Watched(
        "old-passwords",
        "Only root reads the hashes of former passwords",
        "Former passwords tell how their owner chooses the next one, and often still open another system.",
        ("/etc/security/opasswd", "/etc/security/opasswd.old"),
        "0600",
        Severity.MEDIUM,
    ),
    Watched(
        "shells",
        "Only root writes the list of login shells",
        "The list decides which programs count as a login shell, and so who passes services that ask it.",
        ("/etc/shells",),
        "0644",
        Severity.LOW,
        writable=Severity.MEDIUM,
    ),
    Watched(
        "root-home",
        "Only root enters the home of root",
        "In the home of root lie its keys, histories and notes; who may write there runs commands as root.",
        ("/root",),
        "0600",
        Severity.MEDIUM,
        folder="0750",
        writable=Severity.CRITICAL,
    ),
    Watched(
        "login-scripts",
        "Only root writes what every login shell runs",
        "Each login, that of root too, runs these files: who writes to them acts as everybody.",
        ("/etc/profile", "/etc/profile.d/*", "/etc/bash.bashrc", "/etc/bashrc", "/etc/environment"),
        "0755",
        Severity.HIGH,
        writable=Severity.CRITICAL,
    ),
)
_ACCESS = (
    Watched(
        "ssh-configuration",
        "Only root reads and writes the SSH server's configuration",
        "A writable server configuration lets its writer log in as anybody.",
        ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"),
        "0600",
        Severity.LOW,
    ),
    Watched(
        "ssh-host-keys",
        "The private SSH host keys are private",
        "With the host's private key an attacker in the path poses as the host and takes sessions over.",
        ("/etc/ssh/ssh_host_*_key",),
        "0640",
        Severity.HIGH,
        groups=frozenset({"root", "ssh_keys"}),
    ),
    Watched(
        "ssh-host-public-keys",
        "Only root writes the public SSH host keys",
        "A changed public key makes tools that copy it trust another host.",
        ("/etc/ssh/ssh_host_*_key.pub",),
        "0644",
        Severity.LOW,
        writable=Severity.MEDIUM,
    ),
    Watched(
        "sudo-rules",
        "Only root reads and writes the sudo rules",
        "Who may write a sudo rule is root; who may read them all sees which account to take.",
        ("/etc/sudoers", "/etc/sudoers.d/*"),
        "0440",
        Severity.HIGH,
    ),
    Watched(
        "sudo-folder",
        "Only root adds files to the folder of sudo rules",
        "Sudo obeys every file in this folder: who may add one is root a moment later.",
        ("/etc/sudoers.d",),
        "0640",
        Severity.CRITICAL,
        writable=Severity.CRITICAL,
    ),
    Watched(
        "scheduled-jobs",
        "Only root reads and writes the system's scheduled jobs",
        "A writable job of root runs the writer's commands as root; a readable one may tell secrets.",
        ("/etc/crontab", "/etc/cron.d/*"),
        "0600",
        Severity.LOW,
        writable=Severity.CRITICAL,
    ),
    Watched(
        "job-folders",
        "Only root enters the folders of scheduled jobs",
        "A job that somebody adds here runs as root; who reads along learns what runs when, and its secrets.",
        ("/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"),
        "0600",
        Severity.MEDIUM,
        folder="0700",
        writable=Severity.CRITICAL,
    ),
    Watched(
        "job-permissions",
        "Only root decides who may schedule jobs",
        "Who may write these lists lets any account run jobs that outlive its logins.",
        ("/etc/cron.allow", "/etc/cron.deny", "/etc/at.allow", "/etc/at.deny"),
        "0640",
        Severity.LOW,
        owners=frozenset({"root", "daemon"}),
        groups=frozenset({"root", "crontab", "daemon"}),
        writable=Severity.MEDIUM,
    ),
)
_SYSTEM = (
    Watched(
        "boot-menu",
        "Only root reads and writes the boot menu's configuration",
        "The boot configuration may hold a password's hash, and writing it decides what the machine starts.",
        ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/grub2/user.cfg"),
        "0700",
        Severity.LOW,
    ),
    Watched(
        "banners",
        "Only root writes the greetings of a login",
        "Who writes the greeting can ask people at the login for what they should tell nobody.",
        ("/etc/issue", "/etc/issue.net", "/etc/motd"),
        "0644",
        Severity.LOW,
        writable=Severity.LOW,
    ),
    Watched(
        "tls-key-folder",
        "Only root and its certificate group enter the folder of TLS keys",
        "The folder is the second lock in front of the keys, for the day on which one has a careless mode.",
        ("/etc/ssl/private",),
        "0640",
        Severity.LOW,
        groups=frozenset({"root", "ssl-cert"}),
        folder="0710",
        writable=Severity.MEDIUM,
    ),
    Watched(
        "login-logs",
        "Ordinary users cannot read the logs of logins",
        "These logs tell who logs in from where and when, and now and then a password typed as a name.",
        ("/var/log/auth.log*", "/var/log/secure*", "/var/log/messages*", "/var/log/syslog*"),
        "0640",
        Severity.MEDIUM,
        owners=frozenset({"root", "syslog"}),
        groups=frozenset({"root", "adm", "syslog", "wheel"}),
    ),
    Watched(
        "failed-logins",
        "Ordinary users cannot read the list of failed logins",
        "The list of failed logins holds the passwords of those who typed them in the wrong field.",
        ("/var/log/btmp*",),
        "0660",
        Severity.MEDIUM,
        groups=frozenset({"root", "utmp"}),
    ),
    Watched(
        "audit-logs",
        "Only root reads and writes the audit log",
        "The audit log is the proof of what happened; an intruder who may write to it writes another story.",
        ("/var/log/audit", "/var/log/audit/audit.log*"),
        "0640",
        Severity.MEDIUM,
        groups=frozenset({"root", "adm"}),
        folder="0750",
    ),
    Watched(
        "audit-configuration",
        "Only root reads and writes the audit rules",
        "Who reads the rules knows what goes unseen, and who writes them switches the recording off.",
        ("/etc/audit", "/etc/audit/*.conf", "/etc/audit/audit.rules", "/etc/audit/rules.d/*.rules"),
        "0640",
        Severity.MEDIUM,
        folder="0750",
    ),
    Watched(
        "audit-tools",
        "Only root writes the audit tools",
        "A changed audit tool shows the administrator what the intruder wants shown.",
        ("/sbin/auditctl", "/sbin/auditd", "/sbin/augenrules", "/sbin/aureport", "/sbin/ausearch"),
        "0755",
        Severity.MEDIUM,
    ),
)
WATCHED: tuple[Watched, ...] = (*_ACCOUNTS, *_ACCESS, *_SYSTEM)
"""What is watched; the collector looks at exactly these paths."""
