"""Servers that a host should not offer unless that is its role, by all the names that they go by."""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Severity


@dataclass(frozen=True, slots=True)
class Unwanted:
    """One kind of server: its packages, units and programs by their names on all distributions.

    `severity` is for a server that runs or starts, `idle` for one that is only installed. `switch` says
    that the package has more uses than the server, so that only the server is to be switched off.
    """

    id: str
    name: str
    why: str
    severity: Severity
    packages: tuple[str, ...]
    units: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    idle: Severity = Severity.LOW
    switch: bool = False


UNWANTED: tuple[Unwanted, ...] = (
    Unwanted(
        "inetd",
        "super-server",
        "It starts old services without encryption on demand, and nobody sees in the list of processes "
        "that they wait.",
        Severity.MEDIUM,
        ("inetd", "openbsd-inetd", "inetutils-inetd", "rlinetd", "xinetd"),
        ("inetd", "openbsd-inetd", "inetutils-inetd", "xinetd"),
        ("inetd", "xinetd", "rlinetd"),
    ),
    Unwanted(
        "telnet",
        "Telnet server",
        "Every login over Telnet can be read, and taken over, by whoever stands on the way.",
        Severity.CRITICAL,
        ("telnetd", "telnetd-ssl", "inetutils-telnetd", "telnet-server", "busybox-extras-openrc"),
        ("telnet.socket", "telnetd", "inetutils-telnetd"),
        ("in.telnetd", "telnetd", "utelnetd"),
        ("tcp/23",),
    ),
    Unwanted(
        "rsh",
        "rsh, rlogin or rexec server",
        "These services trust the address that a packet claims to come from, and send passwords in the "
        "clear.",
        Severity.CRITICAL,
        ("rsh-server", "rsh-redone-server", "inetutils-rshd", "rexecd"),
        ("rsh.socket", "rlogin.socket", "rexec.socket"),
        ("in.rshd", "in.rlogind", "in.rexecd", "rshd", "rlogind", "rexecd"),
        ("tcp/512", "tcp/513", "tcp/514"),
    ),
    Unwanted(
        "tftp",
        "TFTP server",
        "It hands out files, often whole configurations with passwords, to everybody without asking who "
        "it is.",
        Severity.HIGH,
        ("tftpd", "tftpd-hpa", "atftpd", "tftp-server", "tftp-hpa", "inetutils-tftpd"),
        ("tftp.socket", "tftp", "tftpd-hpa", "atftpd", "in.tftpd"),
        ("in.tftpd", "atftpd", "tftpd"),
        ("udp/69",),
    ),
    Unwanted(
        "ftp",
        "FTP server",
        "FTP sends passwords and files in the clear unless TLS is forced; SFTP does the same over SSH.",
        Severity.HIGH,
        ("vsftpd", "proftpd", "proftpd-basic", "proftpd-core", "pure-ftpd", "ftpd", "inetutils-ftpd"),
        ("vsftpd", "proftpd", "pure-ftpd"),
        ("vsftpd", "proftpd", "pure-ftpd", "in.ftpd", "ftpd"),
        ("tcp/21",),
    ),
    Unwanted(
        "nis",
        "NIS server or client",
        "NIS gives the password hashes of all accounts to every machine that asks, and its clients "
        "believe any answer.",
        Severity.HIGH,
        ("nis", "ypserv", "ypbind", "ypbind-mt", "yp-tools"),
        ("ypserv", "ypbind", "nis", "yppasswdd"),
        ("ypserv", "ypbind", "rpc.yppasswdd"),
    ),
    Unwanted(
        "rpcbind",
        "RPC port mapper",
        "It tells strangers which RPC services there are, and has served to amplify floods; NFS 4 does "
        "without it.",
        Severity.MEDIUM,
        ("rpcbind", "portmap"),
        ("rpcbind", "rpcbind.socket", "portmap"),
        ("rpcbind", "portmap"),
        ("tcp/111", "udp/111"),
    ),
    Unwanted(
        "nfs-server",
        "NFS server",
        "An export without Kerberos trusts the user ids that the client claims to have.",
        Severity.MEDIUM,
        ("nfs-kernel-server",),
        ("nfs-server", "nfs-kernel-server", "nfs"),
        ("rpc.mountd", "nfsd", "unfsd"),
        ("tcp/2049",),
    ),
    Unwanted(
        "samba",
        "SMB file server",
        "File shares are what ransomware looks for first; a server that shares nothing needs no SMB.",
        Severity.MEDIUM,
        ("samba", "samba-server"),
        ("smbd", "smb", "nmbd", "nmb", "samba", "samba-ad-dc"),
        ("smbd", "nmbd", "ksmbd.mountd"),
        ("tcp/139", "tcp/445"),
    ),
    Unwanted(
        "avahi",
        "mDNS responder",
        "It announces the services of a server to the whole segment, and no server needs to be found "
        "that way.",
        Severity.LOW,
        ("avahi-daemon", "avahi"),
        ("avahi-daemon", "avahi-daemon.socket"),
        ("avahi-daemon",),
        ("udp/5353",),
        Severity.INFO,
    ),
    Unwanted(
        "cups",
        "print server",
        "Flaws of the print system have let strangers run programs; a server that prints nothing needs "
        "none of it.",
        Severity.LOW,
        ("cups", "cups-daemon", "cups-browsed"),
        ("cups", "cups.socket", "cups-browsed", "cupsd"),
        ("cupsd", "cups-browsed"),
        ("tcp/631", "udp/631"),
        Severity.INFO,
    ),
    Unwanted(
        "dhcp",
        "DHCP server",
        "A second DHCP server in a network gives its machines wrong gateways and resolvers, by mistake "
        "or on purpose.",
        Severity.LOW,
        ("isc-dhcp-server", "dhcp-server", "kea-dhcp4-server", "kea-dhcp6-server", "kea", "udhcpd"),
        ("isc-dhcp-server", "dhcpd", "dhcpd6", "kea-dhcp4-server", "kea-dhcp4", "kea-dhcp6-server", "udhcpd"),
        ("dhcpd", "kea-dhcp4", "kea-dhcp6", "udhcpd"),
        ("udp/67",),
        Severity.INFO,
    ),
    Unwanted(
        "dns",
        "DNS server",
        "A resolver that answers everybody amplifies floods, and a forgotten name server is seldom patched.",
        Severity.MEDIUM,
        (
            "bind9",
            "bind",
            "named",
            "unbound",
            "dnsmasq",
            "pdns-server",
            "pdns-recursor",
            "knot",
            "knot-resolver",
        ),
        ("named", "bind9", "unbound", "dnsmasq", "pdns", "pdns-recursor", "knot", "kresd@1"),
        ("named", "unbound", "dnsmasq", "pdns_server", "pdns_recursor", "knotd", "kresd"),
        ("tcp/53", "udp/53"),
        Severity.INFO,
    ),
    Unwanted(
        "ldap",
        "LDAP server",
        "A directory server holds everybody's accounts and hashes: it belongs on hosts that have no "
        "other task.",
        Severity.LOW,
        ("slapd", "openldap-servers", "openldap2", "389-ds-base"),
        ("slapd", "dirsrv.target"),
        ("slapd", "ns-slapd"),
        ("tcp/389", "tcp/636"),
        Severity.INFO,
    ),
    Unwanted(
        "rsync",
        "rsync daemon",
        "The daemon serves files without encryption, and often without a password; rsync over SSH needs "
        "none.",
        Severity.MEDIUM,
        ("rsync", "rsync-daemon"),
        ("rsync", "rsyncd", "rsyncd.socket"),
        (),
        ("tcp/873",),
        switch=True,
    ),
    Unwanted(
        "snmp",
        "SNMP agent",
        "An agent tells interfaces, processes and software to whoever knows its community name.",
        Severity.LOW,
        ("snmpd", "net-snmp"),
        ("snmpd",),
        ("snmpd",),
        ("udp/161",),
        Severity.INFO,
    ),
    Unwanted(
        "mail-access",
        "IMAP or POP3 server",
        "A mailbox server takes passwords from the internet all day: it belongs on the mail host alone.",
        Severity.LOW,
        ("dovecot-imapd", "dovecot-pop3d", "dovecot", "cyrus-imapd", "courier-imap", "uw-imapd"),
        ("dovecot", "cyrus-imapd", "courier-imap"),
        ("dovecot", "imapd", "pop3d"),
        ("tcp/143", "tcp/993", "tcp/110", "tcp/995"),
        Severity.INFO,
    ),
    Unwanted(
        "web",
        "web server",
        "A web server that nobody has planned shows a default page, and nobody patches it.",
        Severity.INFO,
        (
            "apache2",
            "httpd",
            "nginx",
            "nginx-core",
            "nginx-light",
            "nginx-full",
            "lighttpd",
            "caddy",
            "tomcat9",
        ),
        ("apache2", "httpd", "nginx", "lighttpd", "caddy", "tomcat9"),
        ("apache2", "httpd", "nginx", "lighttpd", "caddy"),
        ("tcp/80", "tcp/443"),
        Severity.INFO,
    ),
    Unwanted(
        "proxy",
        "web proxy",
        "A proxy lends the address and the reach of its host to those who use it.",
        Severity.LOW,
        ("squid", "squid3", "tinyproxy", "privoxy"),
        ("squid", "tinyproxy", "privoxy"),
        ("squid", "tinyproxy", "privoxy"),
        ("tcp/3128",),
        Severity.INFO,
    ),
    Unwanted(
        "finger-and-talk",
        "finger or talk server",
        "These old services tell who has an account and who is at work, and nobody needs them any more.",
        Severity.MEDIUM,
        ("fingerd", "cfingerd", "finger-server", "talkd", "talk-server", "inetutils-talkd", "efingerd"),
        ("finger.socket", "ntalk.socket", "talk.socket"),
        ("in.fingerd", "in.talkd", "in.ntalkd"),
        ("tcp/79", "udp/517", "udp/518"),
    ),
    Unwanted(
        "old-clients",
        "client of an old protocol",
        "Who finds a Telnet, rsh or talk client at hand uses it, and types a password that everybody "
        "can read.",
        Severity.LOW,
        (
            "telnet",
            "inetutils-telnet",
            "rsh-client",
            "rsh-redone-client",
            "rsh",
            "talk",
            "inetutils-talk",
            "ftp",
            "tnftp",
        ),
    ),
)
"""One check is made of each row."""
