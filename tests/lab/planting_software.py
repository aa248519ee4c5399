"""Old and strange packages, and services that nobody should run like this."""

from __future__ import annotations

from tests.lab.planting import Planting

PATCH = (
    Planting(
        "old package",
        "sed -i '/^Package: sudo$/,/^$/s/^Version: .*/Version: 1.9.13p3-1/' /var/lib/dpkg/status",
        "host.patch.security-updates",
    ),
    Planting(
        "held package",
        "sed -i '/^Package: openssl$/,/^$/s/^Version: .*/Version: 3.0.1-1/' /var/lib/dpkg/status; "
        "apt-mark hold openssl",
        "host.patch.held-packages",
    ),
    Planting(
        "repository without signature",
        "echo 'deb [trusted=yes] http://repo.invalid/debian bookworm main' >/etc/apt/sources.list.d/lab.list",
        "host.sources.verified",
    ),
    Planting("foreign repository", ":", "host.sources.third-party"),
    Planting(
        "old package lists",
        "touch -d 2024-01-01 /var/lib/apt/lists /var/lib/apt/lists/*; "
        "sed -i 's/^Date: .*/Date: Mon, 01 Jan 2024 00:00:00 UTC/' /var/lib/apt/lists/*Release",
        "host.patch.package-lists",
    ),
    Planting("reboot wanted", "touch /run/reboot-required", "host.patch.reboot"),
    Planting("compiler", ":", "host.software.compilers"),
    Planting("program of nobody", "cp /bin/true /usr/local/bin/tool", "host.software.unpackaged"),
    Planting("no automatic updates", ":", "host.upkeep.automatic-updates"),
)

SERVICES = (
    Planting(
        "inetd",
        "echo 'telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/telnetd' >/etc/inetd.conf; "
        "/etc/init.d/openbsd-inetd start",
        "host.unwanted-services.inetd",
    ),
    Planting("telnet", ":", "host.services.plaintext-logins"),
    Planting(
        "FTP for everybody",
        "sed -i 's/^anonymous_enable=.*/anonymous_enable=YES/;s/^listen_ipv6=.*/listen_ipv6=NO/;"
        "s/^listen=.*/listen=YES/' /etc/vsftpd.conf; mkdir -p /var/run/vsftpd/empty; "
        "/etc/init.d/vsftpd start",
        "host.shares.ftp-anonymous",
    ),
    Planting("FTP", ":", "host.unwanted-services.ftp"),
    Planting(
        "open Redis",
        "printf 'bind 0.0.0.0\\nprotected-mode no\\nport 6379\\ndaemonize yes\\n' >/etc/redis/redis.conf; "
        "redis-server /etc/redis/redis.conf >/dev/null",
        "host.services.open-stores",
    ),
    Planting("Redis without password", ":", "host.databases.redis-password"),
    Planting("NFS for all", "echo '/srv *(rw,no_root_squash)' >>/etc/exports", "host.shares.nfs-exports"),
    Planting("NFS", ":", "host.unwanted-services.nfs-server"),
    Planting(
        "SNMP public", "echo 'rwcommunity public' >>/etc/snmp/snmpd.conf", "host.shares.snmp-communities"
    ),
    Planting("SNMP", ":", "host.unwanted-services.snmp"),
    Planting(
        "Samba for guests",
        "mkdir -p /etc/samba; printf '[global]\\nserver min protocol = NT1\\n[share]\\npath = /srv\\n"
        "guest ok = yes\\nread only = no\\n' >/etc/samba/smb.conf",
        "host.shares.samba-guests",
    ),
    Planting("Samba of old", ":", "host.shares.samba-protocol"),
    Planting("TFTP", ":", "host.unwanted-services.tftp"),
    Planting("mDNS", ":", "host.unwanted-services.avahi"),
    Planting("rpcbind", ":", "host.unwanted-services.rpcbind"),
    Planting(
        "rsync daemon",
        "sed -i 's/^RSYNC_ENABLE=.*/RSYNC_ENABLE=true/' /etc/default/rsync; "
        "printf '[srv]\\npath = /srv\\n' >/etc/rsyncd.conf; "
        "/etc/init.d/rsync start",
        "host.unwanted-services.rsync",
    ),
    Planting("web server", "/etc/init.d/nginx start || true", "host.unwanted-services.web"),
    Planting(
        "listener of nobody",
        "cp /usr/bin/python3.11 /usr/local/bin/agent; (cd /tmp; setsid /usr/local/bin/agent -m http.server "
        "8099 >/dev/null 2>&1 &)",
        "host.listening.packaged",
    ),
    Planting(
        "Docker API",
        "cp /bin/true /usr/bin/dockerd; mkdir -p /etc/docker; "
        'echo \'{"hosts": ["tcp://0.0.0.0:2375"], "insecure-registries": '
        '["r.lab:5000"]}\' >/etc/docker/daemon.json',
        "host.containers.api-guarded",
    ),
    Planting("Docker registry", ":", "host.containers.registries"),
    Planting(
        "PostgreSQL trusts",
        "mkdir -p /etc/postgresql/15/main; printf 'host all all 0.0.0.0/0 trust\\n' "
        ">/etc/postgresql/15/main/pg_hba.conf; printf \"listen_addresses = '*'\\n\" "
        ">/etc/postgresql/15/main/postgresql.conf",
        "host.postgresql.trust",
    ),
    Planting("PostgreSQL everywhere", ":", "host.postgresql.address"),
    Planting(
        "MySQL everywhere",
        "mkdir -p /etc/mysql; printf '[mysqld]\\nbind-address = 0.0.0.0\\nskip-grant-tables\\n' "
        ">/etc/mysql/my.cnf",
        "host.databases.mysql-address",
    ),
    Planting(
        "MongoDB without logins",
        "printf 'net:\\n  bindIp: 0.0.0.0\\nsecurity:\\n  authorization: disabled\\n' >/etc/mongod.conf",
        "host.databases.mongodb-logins",
    ),
    Planting(
        "open proxy",
        "mkdir -p /etc/squid; printf 'http_port 3128\\nhttp_access allow all\\n' >/etc/squid/squid.conf",
        "host.web.proxy",
    ),
    Planting("no time daemon", ":", "host.services.time-sync"),
)

WEB = (
    Planting(
        "old TLS",
        "mkdir -p /etc/ssl/web; openssl req -x509 -newkey rsa:2048 -nodes -days 300 -subj /CN=web.example "
        "-keyout /etc/ssl/web/web.key -out /etc/ssl/web/web.pem 2>/dev/null; "
        "printf 'server {\\n listen 8443 ssl;\\n ssl_certificate /etc/ssl/web/web.pem;\\n "
        "ssl_certificate_key /etc/ssl/web/web.key;\\n ssl_protocols TLSv1 TLSv1.1 TLSv1.2;\\n "
        "autoindex on;\\n}\\n' >/etc/nginx/sites-enabled/old",
        "host.web.tls-versions",
    ),
    Planting("listing", ":", "host.web.listing"),
    Planting("version shown", ":", "host.web.version-hidden"),
)
"""Apart from what removes the web server."""
