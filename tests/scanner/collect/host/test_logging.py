"""Logs, read from answers and from real hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.facts.host.logging import Journald, LogActivity, LogForward, LogForwards, LogRotation
from checks.facts.snapshot import Fact
from scanner.collect.host import logging
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

KINDS: frozenset[type[Fact]] = frozenset({Journald, LogForwards, LogRotation, LogActivity})
BASE = "journald\tyes\tno\nrotation\tyes\tno\nnewest\t10\t/var/log/syslog\n"


def journal(*lines: str) -> dict[str, str]:
    [found, *_] = logging.parse("\n".join(line.replace(" ", "\t") for line in lines) + "\n" + BASE).facts
    assert isinstance(found, Journald)
    return dict(found.settings)


def forwards(*lines: str) -> tuple[LogForward, ...]:
    [_, found, *_] = logging.parse("\n".join(lines) + "\n" + BASE).facts
    assert isinstance(found, LogForwards)
    return found.forwards


ETC, RUN, USR = ("/etc/systemd", "/run/systemd", "/usr/lib/systemd")


def test_drop_ins_come_after_the_file_and_those_of_etc_first() -> None:
    assert journal(
        f"file {ETC}/journald.conf",
        f"file {USR}/journald.conf",
        f"file {USR}/journald.conf.d/20.conf",
        f"file {ETC}/journald.conf.d/10.conf",
        f"set {USR}/journald.conf Storage none",
        f"set {ETC}/journald.conf Storage Volatile",
        f"set {ETC}/journald.conf.d/10.conf Storage auto",
        f"set {USR}/journald.conf.d/20.conf Storage persistent",
    ) == {"Storage": "persistent"}


def test_a_namesake_hides_a_drop_in_also_when_it_sets_nothing() -> None:
    assert (
        journal(
            f"file {USR}/journald.conf.d/20.conf",
            f"file {RUN}/journald.conf.d/20.conf",
            f"set {USR}/journald.conf.d/20.conf Storage persistent",
        )
        == {}
    )


FILE = "/etc/rsyslog.d/a.conf"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (f"line\t{FILE}\t@10.0.0.1", ("10.0.0.1", "udp", False)),
        (
            f"line\t{FILE}\t@@(o)logs.example:6514;RSYSLOG_SyslogProtocol23Format",
            ("logs.example:6514", "tcp", False),
        ),
        (f"line\t{FILE}\t:omrelp:logs.example:2514", ("logs.example:2514", "relp", False)),
        (f"rsyslog\t{FILE}\tomfwd\tlogs.example\t\t\t\t", ("logs.example", "udp", False)),
        (f"rsyslog\t{FILE}\tomfwd\tlogs.example\ttcp\tgtls\t1\t", ("logs.example", "tcp", True)),
        (f"rsyslog\t{FILE}\tomfwd\tlogs.example\ttcp\tgtls\t0\t", ("logs.example", "tcp", False)),
        (f"rsyslog\t{FILE}\tomfwd\tlogs.example\tudp\tgtls\t1\t", ("logs.example", "udp", False)),
        (f"rsyslog\t{FILE}\tomrelp\tlogs.example\t\t\t\ton", ("logs.example", "relp", True)),
    ],
)
def test_forwards_of_rsyslog(line: str, read: tuple[str, str, bool]) -> None:
    [found] = forwards(line)
    assert (found.target, found.protocol, found.encrypted) == read


def test_a_driver_for_all_encrypts_only_with_its_mode() -> None:
    line = f"line\t{FILE}\t@@logs.example"
    assert [one.encrypted for one in forwards("driver\tgtls", line)] == [False]
    assert [one.encrypted for one in forwards("driver\tgtls", "mode\t1", line)] == [True]
    assert [one.encrypted for one in forwards("driver\tptcp", "mode\t1", line)] == [False]
    own = f"rsyslog\t{FILE}\tomfwd\tlogs.example\ttcp\t\t1\t"
    assert [one.encrypted for one in forwards("driver\tossl", own)] == [True]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ('syslog-ng\t/x\tnetwork("logs.example"\ttls', ("logs.example", "tcp", True)),
        ('syslog-ng\t/x\tudp("10.0.0.1"\t', ("10.0.0.1", "udp", False)),
        ("upload\t/x\thttps://logs.example:19532", ("logs.example:19532", "https", True)),
        ("upload\t/x\thttp://logs.example", ("logs.example", "http", False)),
    ],
)
def test_forwards_of_others(line: str, read: tuple[str, str, bool]) -> None:
    [found] = forwards(line)
    assert (found.target, found.protocol, found.encrypted) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        BASE.replace("journald\tyes", "journald\tperhaps"),
        BASE.replace("newest", "oldest"),
        BASE.replace("newest\t10", "newest\tx"),
        BASE.replace("newest\t10", "newest\t"),
        BASE + "noise\n",
        BASE + f"line\t{FILE}\tnowhere\n",
        BASE + f"rsyslog\t{FILE}\tomfwd\n",
        BASE + "unread\tother\t/x\n",
        BASE + "rotation\tyes\tno\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        logging.parse(text)


# --- real hosts ---

PLANT = r"""
mkdir -p /etc/rsyslog.d /etc/syslog-ng /etc/systemd/journald.conf.d /var/log
cat >/etc/rsyslog.d/a.conf <<'END'
# *.* @@commented.example
*.*   @@legacy.example:514
action(type="omfwd"
  # why
  Target="multi.example" Port="6514" protocol="tcp"
  StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name")
if $msg contains 'x' then { action(type="omrelp" target="relp.example" port="20514" tls="on") }
action(type="ommysql" server="db.example" pwd="S3cret")
action(type="omfile" file="/var/log/x")
END
cat >/etc/syslog-ng/syslog-ng.conf <<'END'
destination d_net { network("ng.example" port(6514) transport("tls")
  tls(ca-dir("/etc/ca"))); };
destination d_file { file("/var/log/x"); };
destination d_udp { udp("udp.example" port(514)); }; # why
END
printf '[Journal]\n#Storage=none\n Storage = persistent\nSystemMaxUse=1G\nSeal=yes\n' \
  >/etc/systemd/journald.conf.d/10-own.conf
touch /var/log/syslog
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module", params=["bookworm", "busybox"])
def host(request: pytest.FixtureRequest, net: Lab) -> Host:
    return net.host(request.param, plant=PLANT)


@pytest.mark.real
def test_configurations_are_read_and_their_secrets_stay(host: Host) -> None:
    seen = host.look(KINDS)
    assert seen.gaps == ()
    found, journald = seen.get(LogForwards), seen.get(Journald)
    assert isinstance(found, LogForwards)
    assert isinstance(journald, Journald)
    assert {(one.program, one.target, one.protocol, one.encrypted) for one in found.forwards} == {
        ("rsyslogd", "legacy.example:514", "tcp", False),
        ("rsyslogd", "multi.example", "tcp", True),
        ("rsyslogd", "relp.example", "relp", True),
        ("syslog-ng", "ng.example", "tcp", True),
        ("syslog-ng", "udp.example", "udp", False),
    }
    assert journald.settings == {"Storage": "persistent", "SystemMaxUse": "1g"}
    assert all(
        "S3cret" not in source.excerpt and "db.example" not in source.excerpt for source in seen.sources
    )


@pytest.mark.real
def test_the_newest_log_and_the_rotation(host: Host) -> None:
    seen = host.look(KINDS)
    activity, rotation = seen.get(LogActivity), seen.get(LogRotation)
    assert isinstance(activity, LogActivity)
    assert activity.newest == "/var/log/syslog"
    assert 0 <= activity.minutes < 5
    assert isinstance(rotation, LogRotation)
    assert rotation.program is (host.run("command -v logrotate", check=False).status == 0)
    if rotation.program:
        assert "/etc/cron.daily/logrotate" in rotation.schedules


@pytest.mark.real
def test_a_file_that_may_not_be_read_is_a_gap_of_its_own(net: Lab) -> None:
    host = net.host("bookworm", plant=f"{PLANT}chmod 600 /etc/rsyslog.d/a.conf", login="plain")
    seen = host.scan(KINDS)
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [("LogForwards", "/etc/rsyslog.d/a.conf")]
    assert "Journald" in seen.facts
