"""Bad accounts, passwords, homes, jobs and sudo rules."""

from __future__ import annotations

from tests.lab.planting import Planting

MD5 = "$1$abcdefgh$PexAT5ZdrAUbtoA3tVnTI1"
SHA512 = "$6$abcdefgh$OUbrmTtvQIoyZTHhPJlpWAUWCsCCjLgM0gx9jBpxyDySBKBBvIaHVmL4u7P0Ns2uSLE/Wi9gkK4qTBgzOMsBg0"


def _sudoers(name: str, line: str) -> str:
    return f"echo '{line}' >/etc/sudoers.d/{name}; chmod 440 /etc/sudoers.d/{name}"


ACCOUNTS = (
    Planting("second uid 0", "useradd -o -u 0 -M -s /bin/bash toor 2>/dev/null", "host.accounts.uid-zero"),
    Planting(
        "no password", "useradd -m -s /bin/bash guest; passwd -qd guest", "host.accounts.empty-password"
    ),
    Planting(
        "old hash",
        f"useradd -m -s /bin/bash legacy; usermod -p '{MD5}' legacy",
        "host.accounts.password-hash",
    ),
    Planting(
        "hash in passwd",
        f"useradd -m -s /bin/bash plainhash; sed -i 's|^plainhash:x:|plainhash:{MD5}:|' /etc/passwd",
        "host.accounts.password-outside-shadow",
    ),
    Planting("shell of a service", "usermod -s /bin/bash games", "host.accounts.system-shells"),
    Planting("twin uid", "useradd -o -u 1000 -M -s /bin/bash twin", "host.accounts.own-ids"),
    Planting("twin gid", "groupadd -o -g 1000 twingroup", "host.account-groups.own-ids"),
    Planting(
        "group of nobody",
        "useradd -m -s /bin/bash lost; sed -i 's/^\\(lost:x:[0-9]*\\):[0-9]*/\\1:9999/' /etc/passwd",
        "host.account-groups.primary",
    ),
    Planting("member of shadow", "gpasswd -a audit shadow", "host.account-groups.shadow"),
    Planting("docker group", "groupadd -f docker; gpasswd -a audit docker", "host.account-groups.like-root"),
    Planting(
        "login.defs ages",
        "sed -i -e 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 99999/' -e 's/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 0/' "
        "-e 's/^PASS_WARN_AGE.*/PASS_WARN_AGE 1/' /etc/login.defs",
        "host.password-ageing.default-maximum",
    ),
    Planting("login.defs minimum", ":", "host.password-ageing.default-minimum"),
    Planting("login.defs warning", ":", "host.password-ageing.default-warning"),
    Planting("inactive accounts stay", ":", "host.password-ageing.default-inactive"),
    Planting(
        "password for ever",
        f"useradd -m -s /bin/bash forever; usermod -p '{SHA512}' forever; chage -M 99999 -m 0 -W 1 forever",
        "host.password-ageing.maximum",
    ),
    Planting(
        "change in the future",
        f"useradd -m -s /bin/bash future; usermod -p '{SHA512}' future; chage -d 2099-01-01 future",
        "host.password-ageing.last-change",
    ),
    Planting("umask", "sed -i 's/^UMASK.*/UMASK 022/' /etc/login.defs", "host.login-rules.umask"),
    Planting("shells stay open", ":", "host.login-rules.timeout"),
    Planting("root PATH", "echo 'PATH=.:/tmp:$PATH' >>/root/.profile", "host.login-rules.root-path"),
)

PAM = (
    Planting("hash method", "sed -i 's/yescrypt/md5/' /etc/pam.d/common-password", "host.pam.hash"),
    Planting("PAM nullok", "grep -q nullok /etc/pam.d/common-auth", "host.pam.nullok"),
    Planting("no lockout", ":", "host.pam.lockout"),
    Planting("no history", ":", "host.pam.history"),
    Planting("su for all", ":", "host.pam.su-restrict"),
    Planting("short passwords", ":", "host.pam-quality.module"),
)

HOMES = (
    Planting("home for all", "chmod 777 /home/guest", "host.homes.mode"),
    Planting("home of another", "chown audit /home/plainhash", "host.homes.owner"),
    Planting("no home", "useradd -M -s /bin/bash homeless", "host.homes.exist"),
    Planting(
        "dot file for all",
        "touch /home/guest/.bashrc; chown guest: /home/guest/.bashrc; chmod 666 /home/guest/.bashrc",
        "host.homes.dot-files",
    ),
    Planting(
        "mail goes elsewhere",
        "echo other@example.net >/home/guest/.forward; chown guest: /home/guest/.forward",
        "host.homes.forwarding",
    ),
    Planting(
        ".netrc",
        "printf 'machine ftp.example.net login bob password CanaryNetrc123\\n' >/home/audit/.netrc; "
        "chown audit: /home/audit/.netrc; chmod 644 /home/audit/.netrc",
        "host.secrets.credential-modes",
    ),
    Planting("plain credentials", ":", "host.secrets.credential-files"),
    Planting(
        "password in a history",
        "printf 'ls\\nmysql -u root -pCanaryHistory123 shop\\n' >/root/.bash_history; "
        "chmod 600 /root/.bash_history",
        "host.secrets.history",
    ),
    Planting(
        ".env for all",
        "mkdir -p /srv/app; printf 'DB_PASSWORD=CanaryEnv123\\n' >/srv/app/.env; chmod 644 /srv/app/.env",
        "host.secrets.application-files",
    ),
    Planting(
        "root job that others can write",
        "printf '#!/bin/sh\\ntrue\\n' >/usr/local/bin/nightly; chmod 777 /usr/local/bin/nightly; "
        "echo '0 3 * * * root /usr/local/bin/nightly' >/etc/cron.d/nightly",
        "host.scheduled.root-programs",
    ),
    Planting("cron for all", ":", "host.scheduled.cron-allow"),
)

SUDO = (
    Planting("NOPASSWD", _sudoers("legacy", "legacy ALL=(ALL) NOPASSWD: ALL"), "host.sudo.no-password"),
    Planting(
        "no authentication",
        _sudoers("future", "Defaults:future !authenticate"),
        "host.sudo.authenticate",
    ),
    Planting("no pty", "sed -i '/use_pty/d' /etc/sudoers", "host.sudo.pty"),
    Planting("no log", ":", "host.sudo-settings.log-file"),
    Planting(
        "long ticket", _sudoers("ticket", "Defaults timestamp_timeout=-1"), "host.sudo-settings.timeout"
    ),
    Planting(
        "editor as root",
        _sudoers("editor", "forever ALL=(root) /usr/bin/vim, /usr/bin/find"),
        "host.sudo-rules.shell-escape",
    ),
    Planting(
        "own environment",
        _sudoers("setenv", "forever ALL=(root) SETENV: /usr/bin/id"),
        "host.sudo-rules.set-environment",
    ),
    Planting(
        "wildcard", _sudoers("wild", "forever ALL=(root) /bin/cat /var/log/*"), "host.sudo-rules.wildcards"
    ),
    Planting(
        "all but one",
        _sudoers("allbut", "forever ALL=(root) ALL, !/bin/su"),
        "host.sudo-rules.exclusions",
    ),
)
