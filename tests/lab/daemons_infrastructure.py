"""What networks run on: names, time, SNMP, port maps, and the controllers of servers."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.parts import program

_ZONE = """\
$TTL 300
@ IN SOA ns.lab.test. admin.lab.test. 1 3600 600 86400 300
@ IN NS ns.lab.test.
@ IN TXT "v=spf1 -all"
ns IN A 192.0.2.1
www IN A 192.0.2.2
"""


def bind(good: bool, place: Place) -> Prepared:
    """A name server: recursion, zone transfer and version for everybody, or none of the three."""
    port = place.port(53)
    zone = place.write("lab.test.zone", _ZONE)
    # Without hints and forwarders nothing is ever asked of the outside.
    hints = place.write("hints", ". 3600000 NS ns.hints.\nns.hints. 3600000 A 127.0.0.254\n")
    who = "none" if good else "any"
    shown = "version none; hostname none; server-id none;" if good else ""
    config = place.write(
        "named.conf",
        f'options {{ directory "{place.folder}"; listen-on port {port} {{ {place.address}; }};'
        f" listen-on-v6 {{ none; }}; recursion {'no' if good else 'yes'}; allow-recursion {{ {who}; }};"
        f" allow-query {{ any; }}; allow-transfer {{ {who}; }}; {shown}"
        f' pid-file "{place.folder}/pid"; session-keyfile "{place.folder}/session"; dnssec-validation no;'
        f' empty-zones-enable no; notify no; managed-keys-directory "{place.folder}"; }};\n'
        f'controls {{ }};\nzone "." {{ type hint; file "{hints}"; }};\n'
        f'zone "lab.test" {{ type primary; file "{zone}"; }};\n'
        'zone "outside.test" { type primary; file "' + str(zone) + '"; };\n',
    )
    return Prepared(("named", "-f", "-c", str(config), "-n", "1", "-4"), (port,), (port,))


def unbound(place: Place) -> Prepared:
    """A resolver for everybody that tells its version."""
    port = place.port(53)
    config = place.write(
        "unbound.conf",
        f"server:\n interface: {place.address}\n port: {port}\n access-control: 0.0.0.0/0 allow\n"
        f' username: ""\n chroot: ""\n pidfile: "{place.folder}/pid"\n directory: "{place.folder}"\n'
        " do-daemonize: no\n use-syslog: no\n num-threads: 1\n do-ip6: no\n"
        ' local-zone: "lab.test." static\n local-data: "www.lab.test. A 192.0.2.2"\n'
        "remote-control:\n control-enable: no\n"
        'forward-zone:\n name: "."\n forward-addr: 127.0.0.254\n',
    )
    return Prepared(("unbound", "-d", "-c", str(config)), (port,), (port,))


def snmpd(good: bool, place: Place) -> Prepared:
    """SNMP: version 2 with the community `public`, or version 3 only."""
    port = place.port(161)
    line = "rouser nobody priv" if good else "rocommunity public default"
    config = place.write("snmpd.conf", f"{line}\nsysLocation Lab\nsysContact admin@lab.test\n")
    return Prepared(
        ("snmpd", "-f", "-Lo", "-C", "-c", str(config), "-I", "-smux,-systemstats,-hr_device,-if",
         "-p", str(place.folder / "pid"), f"udp:{place.address}:{port}"),
        (),
        (port,),
        {"SNMP_PERSISTENT_DIR": str(place.folder), "MIBS": ""},
    )  # fmt: skip


def chrony(place: Place) -> Prepared:
    """A time server for everybody, that neither asks a clock nor sets one."""
    port = place.port(123)
    config = place.write(
        "chrony.conf",
        f"local stratum 10\nallow all\nport {port}\nbindaddress {place.address}\ncmdport 0\n"
        f"pidfile {place.folder}/pid\nbindcmdaddress /\ndriftfile {place.folder}/drift\n",
    )
    return Prepared(("chronyd", "-x", "-d", "-U", "-u", "root", "-f", str(config)), (), (port,))


def rpcbind(place: Place) -> Prepared:
    """A port mapper, reachable by all. Only in a namespace: its port cannot be chosen."""
    assert place.namespace, "rpcbind listens on 111 only"
    # A lock in /run lets only one run on a machine: each gets a /run of its own.
    alone = f"mount -t tmpfs none /run && exec {program('rpcbind')} -f -w -h {place.address}"
    return Prepared(("unshare", "-m", "sh", "-c", alone), (111,), (111,))


def ipmi(place: Place) -> Prepared:
    """A simulated baseboard controller that answers IPMI over the LAN, cipher suite 0 included."""
    port = place.port(623)
    state = place.directory("state")
    config = place.write(
        "lan.conf",
        f'name "lab"\nset_working_mc 0x20\nstartlan 1\n addr {place.address} {port}\n priv_limit admin\n'
        " allowed_auths_callback none md2 md5 straight\n allowed_auths_user none md2 md5 straight\n"
        " allowed_auths_operator none md2 md5 straight\n allowed_auths_admin none md2 md5 straight\n"
        " guid a123456789abcdefa123456789abcdef\nendlan\n"
        'user 1 true "" "test" user 10 none md2 md5 straight\n',
    )  # fmt: skip
    commands = place.write(
        "commands",
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
        "mc_enable 0x20\n",
    )
    return Prepared(("ipmi_sim", "-n", "-c", str(config), "-f", str(commands), "-s", str(state)), (), (port,))


DAEMONS: Mapping[str, Preparer] = {
    "bind-open": functools.partial(bind, False),
    "bind-good": functools.partial(bind, True),
    "unbound-open": unbound,
    "snmpd-public": functools.partial(snmpd, False),
    "snmpd-good": functools.partial(snmpd, True),
    "chrony": chrony,
    "rpcbind": rpcbind,
    "ipmi": ipmi,
}
