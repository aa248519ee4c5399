"""Bad settings of sshd, of the kernel, and of the network."""

from __future__ import annotations

from tests.lab.planting import Planting, net, option

SSHD = (
    option("PermitRootLogin", "yes", "ssh.root-login"),
    option("PasswordAuthentication", "yes", "ssh.password-auth"),
    option("KbdInteractiveAuthentication", "yes", "ssh.keyboard-interactive"),
    option("PermitEmptyPasswords", "yes", "ssh.empty-passwords"),
    option("X11Forwarding", "yes", "ssh.x11-forwarding"),
    option("IgnoreRhosts", "no", "ssh.rhosts"),
    option("HostbasedAuthentication", "yes", "ssh.host-based"),
    option("PermitUserEnvironment", "yes", "ssh.user-environment"),
    option("MaxAuthTries", "20", "ssh.max-auth-tries"),
    option("LoginGraceTime", "0", "ssh.login-grace"),
    option("LogLevel", "QUIET", "ssh.log-level"),
    option("MaxStartups", "200", "ssh-session.max-startups"),
    option("MaxSessions", "100", "ssh-session.max-sessions"),
    option("ClientAliveInterval", "0", "ssh-session.idle"),
    option("AllowTcpForwarding", "yes", "ssh-session.forwarding"),
    option("PermitTunnel", "yes", "ssh-session.tunnels"),
    option("StrictModes", "no", "ssh-server.strict-modes"),
    option("UsePAM", "no", "ssh-server.pam"),
    option("Ciphers", "+aes128-cbc,3des-cbc", "ssh-crypto.ciphers"),
    option("MACs", "+hmac-md5", "ssh-crypto.macs"),
    option("KexAlgorithms", "+diffie-hellman-group1-sha1", "ssh-crypto.key-exchange"),
    Planting("no banner", ":", "host.ssh-session.banner"),
    Planting("everybody may log in", ":", "host.ssh-server.allow-list"),
    Planting(
        "Match block that loosens",
        "printf 'Match Address 198.51.100.0/24\\n  X11Forwarding yes\\n' >>/etc/ssh/sshd_config",
        "host.ssh.x11-forwarding",
    ),
    Planting(
        "file newer than the server",
        "touch -d '+10 min' /etc/ssh/sshd_config",
        "host.ssh-server.running-configuration",
    ),
)

NETWORK = (
    net("net.ipv4.tcp_syncookies", "0", "kernel.syn-cookies"),
    net("net.ipv4.conf.all.accept_redirects", "1", "kernel.redirects-accepted"),
    net("net.ipv4.conf.all.send_redirects", "1", "kernel.redirects-sent"),
    net("net.ipv4.conf.all.accept_source_route", "1", "kernel.source-routes"),
    net("net.ipv4.conf.all.rp_filter", "0", "kernel.reverse-path"),
    net("net.ipv4.icmp_echo_ignore_broadcasts", "0", "kernel.broadcast-ping"),
    net("net.ipv4.conf.all.secure_redirects", "1", "network-stack.gateway-redirects"),
    net("net.ipv4.conf.all.log_martians", "0", "network-stack.odd-packets"),
    net("net.ipv4.icmp_ignore_bogus_error_responses", "0", "network-stack.bogus-errors"),
    net("net.ipv6.conf.all.accept_ra", "1", "network-stack.router-advertisements"),
    Planting("promiscuous interface", "ip link set eth0 promisc on", "host.network-stack.promiscuous"),
    Planting("no firewall", ":", "host.firewall.active"),
    Planting("everything may come in", ":", "host.firewall.default-drop"),
)

ROUTER = net("net.ipv4.ip_forward", "1", "network-stack.forwarding")
"""Apart from the others: whenever this value changes, the kernel sets redirects to its defaults again."""

KERNEL = (
    Planting("address randomisation", ":", "host.kernel.aslr"),
    Planting("kernel log", ":", "host.kernel.log-reading"),
    Planting("kernel addresses", ":", "host.kernel.addresses-hidden"),
    Planting("cores of SUID programs", ":", "host.kernel.core-dumps"),
    Planting("links", ":", "host.kernel.links"),
    Planting("files of others", ":", "host.kernel.shared-files"),
    Planting("BPF", ":", "host.kernel.bpf"),
    Planting("line disciplines", ":", "host.kernel.line-disciplines"),
    Planting("lowest address", ":", "host.kernel.lowest-address"),
    Planting("performance events", ":", "host.kernel.performance-events"),
    Planting("page faults", ":", "host.kernel.page-faults"),
    Planting(
        "file against kernel",
        "echo 'net.ipv4.conf.default.rp_filter = 1' >/etc/sysctl.d/10-lab.conf; "
        "sysctl -qw net.ipv4.conf.default.rp_filter=0",
        "host.kernel.persistent",
    ),
    Planting(
        "core dumps",
        "echo '* hard core unlimited' >/etc/security/limits.d/core.conf",
        "host.kernel.core-limit",
    ),
    Planting(
        "rare filesystems",
        "folder=/lib/modules/$(uname -r); mkdir -p $folder/kernel/fs; "
        "for m in cramfs hfs udf usb-storage sctp dccp; do : >$folder/kernel/fs/$m.ko; "
        "echo kernel/fs/$m.ko: >>$folder/modules.dep; done; : >$folder/modules.builtin",
        "host.kernel-modules.filesystems",
    ),
    Planting("rare protocols", ":", "host.kernel-modules.protocols"),
    Planting("USB storage", ":", "host.kernel-modules.usb-storage"),
)
