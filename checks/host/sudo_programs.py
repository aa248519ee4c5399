"""Programs that give more than their name says to whoever runs them as root."""

from __future__ import annotations

SHELLS = frozenset(
    {
        *(
            "sh",
            "bash",
            "dash",
            "ash",
            "zsh",
            "ksh",
            "csh",
            "tcsh",
            "fish",
            "busybox",
            "su",
            "screen",
            "tmux",
        ),
        *(
            "vi",
            "vim",
            "view",
            "vimdiff",
            "rvim",
            "nvim",
            "nano",
            "pico",
            "emacs",
            "ed",
            "ex",
            "joe",
            "mcedit",
        ),
        *("less", "more", "most", "man", "mc", "ftp", "mysql", "psql", "sqlite3", "gdb", "visudo", "vipw"),
        *("vigr", "crontab", "script", "expect", "irb", "node", "lua", "php"),
    }
)
"""Programs that start others, or write any file, whatever their arguments are: people type that inside."""

BY_ARGUMENT = frozenset(
    {
        *("find", "tar", "zip", "awk", "gawk", "mawk", "sed", "xargs", "env", "nice", "nohup", "timeout"),
        *(
            "time",
            "stdbuf",
            "setsid",
            "flock",
            "ionice",
            "taskset",
            "strace",
            "ltrace",
            "perf",
            "git",
            "rsync",
        ),
        *("ssh", "scp", "sftp", "wget", "curl", "dd", "cp", "mv", "tee", "install", "ln", "chmod", "chown"),
        *("mount", "docker", "podman", "lxc", "kubectl", "systemctl", "systemd-run", "journalctl", "apt"),
        *(
            "apt-get",
            "dpkg",
            "dnf",
            "yum",
            "rpm",
            "zypper",
            "apk",
            "pip",
            "pip3",
            "npm",
            "gem",
            "make",
            "perl",
        ),
        *("python", "python2", "python3", "ruby", "nmap", "tcpdump", "socat", "nc", "openssl", "unshare"),
        *("nsenter", "chroot", "ip", "useradd", "usermod", "passwd", "date", "logrotate", "service", "watch"),
    }
)
"""Programs that start others, or write any file, by one of their arguments."""

INTERPRETERS = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "csh", "tcsh", "fish", "lua", "php", "node", "expect"}
)
"""Those of the shells that run a script whose path is the first argument, and nothing else then."""
