"""What makes the clean host: a Debian that an administrator hardened by hand, without our snippets."""

from __future__ import annotations

PACKAGES = (
    "aide",
    "apparmor",
    "auditd",
    "chrony",
    "libpam-pwquality",
    "needrestart",
    "nftables",
    "rsyslog",
    "rsyslog-gnutls",
    "unattended-upgrades",
)

KERNEL = {
    "kernel.randomize_va_space": "2",
    "kernel.yama.ptrace_scope": "1",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.unprivileged_bpf_disabled": "1",
    "kernel.perf_event_paranoid": "3",
    "kernel.sysrq": "0",
    "fs.suid_dumpable": "0",
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.protected_fifos": "2",
    "fs.protected_regular": "2",
    "dev.tty.ldisc_autoload": "0",
    "vm.mmap_min_addr": "65536",
    "vm.unprivileged_userfaultfd": "0",
    "user.max_user_namespaces": "0",
}

SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin no
AllowGroups audit
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
X11Forwarding no
DisableForwarding yes
MaxAuthTries 4
MaxSessions 10
MaxStartups 10:30:60
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
Banner /etc/issue.net
UsePAM yes
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256
Subsystem sftp internal-sftp
"""

NFTABLES = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept
    iif != "lo" ip saddr 127.0.0.0/8 drop
    iif != "lo" ip6 saddr ::1 drop
    ct state established,related accept
    ip saddr 10.77.0.0/16 tcp dport 22 accept
    meta l4proto { 1, 58 } accept
  }
  chain forward { type filter hook forward priority filter; policy drop; }
}
"""

AUDIT = """\
-D
-b 8192
-w /etc/passwd -p wa -k identity
-w /etc/group -p wa -k identity
-w /etc/shadow -p wa -k identity
-w /etc/gshadow -p wa -k identity
-w /etc/security/opasswd -p wa -k identity
-w /etc/sudoers -p wa -k scope
-w /etc/sudoers.d -p wa -k scope
-w /var/log/sudo.log -p wa -k sudo_log
-w /var/log/lastlog -p wa -k logins
-w /var/log/faillog -p wa -k logins
-w /var/run/faillock -p wa -k logins
-w /var/run/utmp -p wa -k session
-w /var/log/wtmp -p wa -k session
-w /var/log/btmp -p wa -k session
-w /etc/localtime -p wa -k time-change
-w /etc/apparmor/ -p wa -k MAC-policy
-w /etc/apparmor.d/ -p wa -k MAC-policy
-w /etc/issue -p wa -k system-locale
-w /etc/issue.net -p wa -k system-locale
-w /etc/hosts -p wa -k system-locale
-w /etc/network -p wa -k system-locale
-w /usr/bin/kmod -p x -k modules
"""

_PEOPLE = "-F auid>=1000 -F auid!=unset"
_CALLS = (
    ("-S adjtimex,settimeofday,clock_settime", "time-change"),
    ("-S sethostname,setdomainname", "system-locale"),
    (f"-S chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat {_PEOPLE}", "perm_mod"),
    (
        f"-S setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr {_PEOPLE}",
        "perm_mod",
    ),
    (f"-S open,openat,creat,truncate,ftruncate -F exit=-EACCES {_PEOPLE}", "access"),
    (f"-S open,openat,creat,truncate,ftruncate -F exit=-EPERM {_PEOPLE}", "access"),
    (f"-S mount,umount2 {_PEOPLE}", "mounts"),
    (f"-S unlink,unlinkat,rename,renameat {_PEOPLE}", "delete"),
    (f"-S init_module,finit_module,delete_module {_PEOPLE}", "modules"),
    ("-C euid!=uid -F euid=0 -F auid!=unset -S execve", "user_emulation"),
)
"""System calls, by the key under which they are kept; each for both sizes of a program."""
_RULES = "".join(
    f"-a always,exit -F arch={arch} {calls} -k {key}\n" for calls, key in _CALLS for arch in ("b64", "b32")
)

SYSCTL = """\
net.ipv4.ip_forward = 0
net.ipv4.tcp_syncookies = 1
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.icmp_ignore_bogus_error_responses = 1
net.ipv6.conf.all.forwarding = 0
"""
_EACH = {
    "ipv4": {
        "accept_redirects": 0,
        "send_redirects": 0,
        "secure_redirects": 0,
        "accept_source_route": 0,
        "rp_filter": 1,
        "log_martians": 1,
    },
    "ipv6": {"accept_redirects": 0, "accept_source_route": 0, "accept_ra": 0},
}
_LINES = [
    f"net.{family}.conf.{which}.{name} = {value}"
    for family, settings in _EACH.items()
    for name, value in settings.items()
    for which in ("all", "default", "eth0")
]


_MODULES = (
    "cramfs",
    "freevxfs",
    "hfs",
    "hfsplus",
    "jffs2",
    "udf",
    "usb-storage",
    "dccp",
    "sctp",
    "rds",
    "tipc",
)


def _written(path: str, text: str, mode: str = "644") -> str:
    return f"mkdir -p $(dirname {path})\ncat >{path} <<'END'\n{text}END\nchmod {mode} {path}\n"


HARDENED = "".join(
    (
        "set -e\n",
        "mount -t tmpfs -o nosuid,nodev,noexec,mode=755,size=32m log /var/log\n",
        "mkdir -p /var/log/audit; mount -t tmpfs -o nosuid,nodev,noexec,mode=700,size=16m audit "
        "/var/log/audit\n",
        "sed -i -e 's/^disk_full_action.*/disk_full_action = syslog/' -e "
        "'s/^disk_error_action.*/disk_error_action = syslog/' -e "
        "'s/^max_log_file_action.*/max_log_file_action = keep_logs/' /etc/audit/auditd.conf\n",
        "echo '30 2 * * * root /usr/bin/aide --check --config /etc/aide/aide.conf' >/etc/cron.d/aide\n",
        _written("/etc/ssh/sshd_config", SSHD, "600"),
        _written("/etc/nftables.conf", NFTABLES, "755"),
        "nft -f /etc/nftables.conf\nsystemctl enable nftables 2>/dev/null\n",
        _written("/etc/audit/rules.d/audit.rules", AUDIT + _RULES + "-e 2\n", "640"),
        _written("/etc/sysctl.d/60-hardening.conf", SYSCTL + "\n".join([*_LINES, ""])),
        _written(
            "/etc/sysctl.d/61-kernel.conf", "".join(f"{name} = {value}\n" for name, value in KERNEL.items())
        ),
        "sysctl -q -p /etc/sysctl.d/60-hardening.conf\n",
        _written("/etc/issue", "Authorised use only. All activity may be watched and reported.\n"),
        "cp /etc/issue /etc/issue.net; cp /etc/issue /etc/motd; rm -f /etc/update-motd.d/*\n",
        "sed -i -e 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 365/' -e 's/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 1/' "
        "-e 's/^PASS_WARN_AGE.*/PASS_WARN_AGE 7/' -e 's/^UMASK.*/UMASK 027/' "
        "-e 's/^#*ENCRYPT_METHOD.*/ENCRYPT_METHOD YESCRYPT/' /etc/login.defs\n",
        "useradd -D -f 30\n",
        _written("/etc/profile.d/timeout.sh", "umask 027\nTMOUT=900\nreadonly TMOUT\nexport TMOUT\n"),
        "sed -i 's/^#* *umask .*/umask 027/' /etc/profile /root/.bashrc 2>/dev/null || true\n",
        _written("/etc/security/limits.d/core.conf", "* hard core 0\n"),
        _written("/etc/systemd/coredump.conf.d/none.conf", "[Coredump]\nStorage=none\nProcessSizeMax=0\n"),
        _written(
            "/etc/modprobe.d/hardening.conf",
            "".join(f"install {module} /bin/false\nblacklist {module}\n" for module in _MODULES),
        ),
        _written(
            "/etc/sudoers.d/hardening",
            "Defaults use_pty\nDefaults logfile=/var/log/sudo.log\nDefaults timestamp_timeout=5\n",
            "440",
        ),
        "sed -i -e 's/ nullok//' -e "
        "'s/^auth.*requisite.*pam_deny.so/auth [default=die] pam_faillock.so authfail\\n&/' "
        "-e '0,/^auth/s/^auth/auth required pam_faillock.so preauth\\n&/' /etc/pam.d/common-auth\n",
        "echo 'account required pam_faillock.so' >>/etc/pam.d/common-account\n",
        _written("/etc/security/faillock.conf", "deny = 5\nunlock_time = 900\n"),
        "sed -i '0,/pam_unix.so/s/^password.*pam_unix.so.*/password required pam_pwhistory.so remember=24 "
        "enforce_for_root use_authtok\\n&/' /etc/pam.d/common-password\n",
        _written(
            "/etc/security/pwquality.conf",
            "minlen = 14\nminclass = 4\ndcredit = -1\nucredit = -1\nlcredit = -1\n"
            "ocredit = -1\ndifok = 5\ndictcheck = 1\nenforcing = 1\nenforce_for_root\nmaxrepeat = 3\n",
        ),
        "groupadd -f sugroup\necho 'auth required pam_wheel.so use_uid group=sugroup' >>/etc/pam.d/su\n",
        "chmod 700 /root /home/audit; chmod 600 /etc/crontab\n",
        "chmod 700 /etc/cron.d /etc/cron.daily /etc/cron.hourly /etc/cron.weekly /etc/cron.monthly\n",
        "find /etc/cron.d -type f -exec chmod 600 {} +\n",
        _written("/etc/cron.allow", "root\n", "600"),
        _written("/etc/at.allow", "root\n", "600"),
        _written(
            "/etc/systemd/journald.conf", "[Journal]\nStorage=persistent\nForwardToSyslog=yes\nCompress=yes\n"
        ),
        "mkdir -p /var/log/journal\n",
        _written(
            "/etc/rsyslog.d/60-remote.conf",
            'global(DefaultNetstreamDriverCAFile="/etc/ssl/certs/ca-certificates.crt")\n'
            'action(type="omfwd" target="logs.lab.example" port="6514" protocol="tcp" StreamDriver="gtls" '
            'StreamDriverMode="1" StreamDriverAuthMode="x509/name" action.resumeRetryCount="100" '
            'queue.type="LinkedList" queue.size="10000")\n',
        ),
        _written(
            "/etc/apt/apt.conf.d/20auto-upgrades",
            'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
        ),
        "mkdir -p /var/lib/apt/periodic; touch /var/lib/apt/periodic/unattended-upgrades-stamp "
        "/var/lib/apt/periodic/update-success-stamp /var/lib/apt/periodic/upgrade-stamp\n",
        "rsyslogd; cron; touch /var/log/auth.log /var/log/syslog; chmod 640 /var/log/*.log /var/log/syslog\n",
        "find /var/log -type f -exec chmod g-wx,o-rwx {} +\n",
        "chown root:utmp /var/log/btmp /var/log/wtmp 2>/dev/null || true\n",
        "mkdir -p /var/lib/aide; touch /var/lib/aide/aide.db; chmod 600 /var/lib/aide/aide.db\n",
        "mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=16m tmp /tmp\n",
        "mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=16m vartmp /var/tmp\n",
        "usermod -L root\n",
        "rm -f /etc/motd\n",
        "kill -HUP $(cat /run/sshd.pid)\n",
    )
)
