"""Bad modes, strange files, keys and certificates, missing logs and audits."""

from __future__ import annotations

from tests.lab.planting import Planting, mode

MODES = (
    mode("/etc/shadow", "644", "password-hashes"),
    mode("/etc/passwd", "666", "accounts"),
    mode("/etc/shadow-", "644", "password-hash-backups", "cp /etc/shadow /etc/shadow-"),
    mode("/etc/passwd-", "666", "account-backups", "cp /etc/passwd /etc/passwd-"),
    mode("/etc/crontab", "666", "scheduled-jobs"),
    mode("/etc/cron.daily", "777", "job-folders"),
    mode("/etc/at.allow", "666", "job-permissions", "echo root >/etc/at.allow"),
    mode("/etc/ssh/sshd_config", "666", "ssh-configuration"),
    mode(
        "/etc/ssh/ssh_host_ecdsa_key",
        "644",
        "ssh-host-keys",
        "ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key",
    ),
    mode("/etc/ssh/ssh_host_ed25519_key.pub", "666", "ssh-host-public-keys"),
    mode("/etc/shells", "666", "shells"),
    mode("/etc/profile", "666", "login-scripts"),
    mode("/etc/security/opasswd", "644", "old-passwords", "touch /etc/security/opasswd"),
    mode("/root", "755", "root-home"),
    mode("/etc/ssl/private", "755", "tls-key-folder"),
    mode("/etc/issue", "666", "banners"),
    mode("/var/log/auth.log", "644", "login-logs", "touch -d 2024-01-01 /var/log/auth.log"),
    mode("/var/log/btmp", "644", "failed-logins", "touch -d 2024-01-01 /var/log/btmp"),
    mode("/boot/grub/grub.cfg", "644", "boot-menu", "mkdir -p /boot/grub; echo set >/boot/grub/grub.cfg"),
    Planting("mode of sudoers", "chmod 666 /etc/sudoers", "host.files.sudo-rules", apart=True),
    Planting("mode of sudoers.d", "chmod 777 /etc/sudoers.d", "host.files.sudo-folder", apart=True),
)

STRANGE = (
    Planting(
        "world-writable file",
        "echo x >/usr/local/lib/open.txt; chmod 666 /usr/local/lib/open.txt",
        "host.files.world-writable",
    ),
    Planting("shared folder", "mkdir -p /srv/drop; chmod 777 /srv/drop", "host.files.shared-folders"),
    Planting("file without owner", "echo x >/srv/orphan; chown 4242:4242 /srv/orphan", "host.files.unowned"),
    Planting(
        "SUID program of nobody",
        "cp /bin/true /usr/local/bin/rootsh; chmod 4755 /usr/local/bin/rootsh",
        "host.files.suid-unknown",
    ),
    Planting("SUID on find", "chmod u+s /usr/bin/find", "host.files.suid-shell"),
    Planting("changed program", "printf '\\n' >>/usr/bin/id", "host.integrity.programs"),
    Planting("no integrity tool", ":", "host.integrity.tool"),
    Planting("banner tells", "echo 'Debian \\\\r \\\\m' >/etc/issue", "host.banners.leak"),
    Planting("wide /tmp", ":", "host.filesystems.tmp-separate"),
    Planting(
        "/tmp runs programs",
        "mount -t tmpfs tmp /tmp; chmod 1777 /tmp",
        "host.filesystems.tmp-options",
        apart=True,
    ),
    Planting("programs in /dev/shm", "mount -o remount,exec,suid /dev/shm", "host.filesystems.shm-options"),
)

KEYS = (
    Planting(
        "private key for all",
        "mkdir -p /etc/ssl/lab; openssl genrsa -out /etc/ssl/lab/open.key 2048 2>/dev/null; "
        "chmod 644 /etc/ssl/lab/open.key",
        "host.files.private-keys",
    ),
    Planting(
        "certificate that ends",
        "mkdir -p /etc/ssl/lab; openssl req -x509 -newkey rsa:1024 -sha1 -nodes -days 1 -subj "
        "/CN=lab.example -keyout /etc/ssl/lab/lab.key -out /etc/ssl/lab/lab.pem 2>/dev/null; "
        "mkdir -p /etc/nginx/sites-enabled; printf 'server {\\n listen 443 ssl;\\n "
        "ssl_certificate /etc/ssl/lab/lab.pem;\\n ssl_certificate_key /etc/ssl/lab/lab.key;\\n "
        "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;\\n autoindex on;\\n}\\n' >/etc/nginx/sites-enabled/lab",
        "host.certificates.expiry",
    ),
    Planting("certificate that is weak", ":", "host.certificates.strength"),
    Planting(
        "private key without passphrase",
        'su audit -c \'mkdir -p -m 700 ~/.ssh; ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; '
        "chmod 644 ~/.ssh/id_ed25519'",
        "host.ssh-homes.passphrases",
    ),
    Planting("private key that others read", ":", "host.ssh-homes.private-modes"),
    Planting("hosts.equiv", "echo + >/etc/hosts.equiv", "host.ssh-homes.trust-files"),
    Planting(
        "list of login keys that others write",
        "mkdir -p -m 700 /home/audit/.ssh; touch /home/audit/.ssh/authorized_keys; "
        "chown -R audit: /home/audit/.ssh; chmod 666 /home/audit/.ssh/authorized_keys",
        "host.ssh-keys.files",
    ),
    Planting(
        "forced command with a way around",
        "ssh-keygen -q -t ed25519 -N '' -C backup@nas -f /tmp/k && "
        "sed 's|^|command=\"/usr/bin/true\" |' /tmp/k.pub >>/home/audit/.ssh/authorized_keys; "
        "rm -f /tmp/k /tmp/k.pub",
        "host.ssh-keys.forced-commands",
    ),
    Planting(
        "root login key of 1024 bits",
        "ssh-keygen -q -t rsa -b 1024 -N '' -C old@laptop -f /tmp/k && cat /tmp/k.pub "
        ">>/root/.ssh/authorized_keys; rm -f /tmp/k /tmp/k.pub",
        "host.ssh-keys.weak",
    ),
)

LOGS = (
    Planting("no audit daemon", ":", "host.audit.daemon"),
    Planting("no log daemon", ":", "host.logging.daemon"),
    Planting("nothing leaves", ":", "host.logging.remote"),
    Planting(
        "nothing was logged for days",
        "find /var/log -type f -exec touch -d 2024-01-01 {} +",
        "host.logging.recent",
    ),
)

AUDIT_PACKAGES = ("auditd", "libcap2-bin", "libpam-pwquality", "rsyslog")
AUDITED = (
    Planting("audit without rules", ": >/etc/audit/rules.d/audit.rules", "host.audit.identity"),
    Planting(
        "full disk ignored",
        "sed -i 's/^max_log_file_action.*/max_log_file_action = ROTATE/;"
        "s/^disk_full_action.*/disk_full_action = IGNORE/' /etc/audit/auditd.conf",
        "host.audit.full-disk",
    ),
    Planting("audit settings for all", "chmod 666 /etc/audit/auditd.conf", "host.files.audit-configuration"),
    Planting(
        "audit log for all",
        "mkdir -p /var/log/audit; touch /var/log/audit/audit.log; chmod 644 /var/log/audit/audit.log",
        "host.files.audit-logs",
    ),
    Planting("audit tools for all", "chmod 777 /usr/sbin/auditctl", "host.files.audit-tools"),
    Planting(
        "quality switched off",
        "sed -i 's/^# *minlen.*/minlen = 6/' /etc/security/pwquality.conf",
        "host.pam-quality.length",
    ),
    Planting(
        "journal in memory",
        "mkdir -p /etc/systemd; printf '[Journal]\\nStorage=volatile\\n' >/etc/systemd/journald.conf",
        "host.logging.persistent",
    ),
    Planting(
        "host key of 1024 bits",
        "ssh-keygen -q -t rsa -b 1024 -N '' -f /etc/ssh/ssh_host_rsa_key",
        "host.ssh-server.host-keys",
    ),
    Planting("NIS line", "echo '+::0:0:::' >>/etc/passwd", "host.account-sources.nis"),
    Planting(
        "NIS line for passwords", "echo '+::::::::' >>/etc/shadow", "host.account-sources.nis-passwords"
    ),
    Planting(
        "capability that nobody knows",
        "cp /bin/true /usr/local/bin/capable; setcap cap_setuid+ep /usr/local/bin/capable",
        "host.files.capabilities",
    ),
    Planting(
        "socket of Docker for all",
        "cp /bin/true /usr/bin/dockerd; groupadd -f docker; python3 -c 'import socket; "
        'socket.socket(socket.AF_UNIX).bind("/run/docker.sock")\'; chmod 666 /run/docker.sock',
        "host.containers.socket",
    ),
    Planting(
        "rules that are lost at a boot",
        "nft 'table inet f { chain i { type filter hook input priority 0; policy drop; "
        "tcp dport 22 accept; }; }'",
        "host.firewall.persistent",
    ),
    Planting("rules without loopback", ":", "host.firewall-rules.loopback"),
    Planting("no scheduler", "systemctl disable cron", "host.services.scheduler"),
    Planting(
        "graphical start",
        "ln -sf /lib/systemd/system/graphical.target /etc/systemd/system/default.target",
        "host.software.graphical-start",
    ),
)
"""What goes to a host with an audit daemon and a module for the quality of passwords."""
