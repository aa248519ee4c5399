"""The readers of root's jobs, and their fragments on real hosts; the commands stay there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import pytest

from checks.facts.host.scheduled import ScheduleAccess, ScheduledJobs
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import scheduled
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Lab, lab

F = TypeVar("F", bound=Fact)
PLANT = r"""
rm -rf /etc/cron.* /etc/crontab /etc/anacrontab; mkdir -p /etc/cron.d /etc/cron.daily /etc/systemd/system
mkdir -p /var/spool/cron/crontabs /opt/jobs /usr/local/bin
for name in a b c d e f g h; do echo x >/opt/jobs/$name; chmod 755 /opt/jobs/$name; done
chmod 757 /opt/jobs/a
ln -s /opt/jobs/h /usr/local/bin/linked
cat >/etc/crontab <<'E'
SHELL=/bin/sh
PATH=/usr/bin
17 *	* * *	root	cd / && run-parts --report /etc/cron.hourly
25 6	* * *	root	test -x /opt/jobs/a || ( nice -n 5 /opt/jobs/b -pHUNTER2 >> /var/log/b 2>&1 )
0 0 * * * ann /opt/jobs/c
E
cat >/etc/cron.d/own <<'E'
@daily root SECRET=HUNTER2 bash -c '/opt/jobs/d' | /opt/jobs/e; /usr/local/bin/linked "HUNTER2"
# 1 1 * * * root /opt/jobs/never
1 1 * * * root find /tmp -mtime +7 -delete; echo done%/opt/jobs/never
E
cat >/etc/cron.d/more <<'E'
DIR = "/opt/jobs"
1 1 * * * root cd /opt/jobs && ./a --x
1 1 * * * root cd /opt && python3 jobs/b /data/x
1 1 * * * root ${DIR}/h; P=/opt; $P/jobs/d $HOME/x
1 1 * * * root run-parts /opt/hooks; sh /opt/jobs/*.sh; rm /tmp/*.tmp
1 1 * * * root ~/own
E
mkdir -p /etc/systemd/system/cron.service.d /etc/systemd/system/app.service.d /usr/lib/systemd/system
printf '[Service]\nExecStartPre=/opt/jobs/e\n' >/etc/systemd/system/cron.service.d/o.conf
printf '[Service]\nUser=ann\n' >/usr/lib/systemd/system/app.service
printf '[Service]\nExecStart=/opt/jobs/never\n' >/etc/systemd/system/app.service.d/o.conf
echo '5 5 * * 1 /opt/jobs/f -x' >/var/spool/cron/crontabs/root; chmod 600 /var/spool/cron/crontabs/root
echo x >/etc/cron.daily/job; chmod 755 /etc/cron.daily/job; echo x >/etc/cron.daily/.placeholder
cd /etc/systemd/system
printf '[Service]\nExecStart=-/opt/jobs/g\nExecStartPre=/bin/sh /opt/jobs/missing\n' >own.service
printf '[Service]\nExecStart=/opt/jobs/never\nUser=ann\nExecStop=+/opt/jobs/a\n' >user.service
"""


def fact(snapshot: Snapshot, kind: type[F]) -> F:
    found = snapshot.get(kind)
    assert isinstance(found, kind)
    assert "HUNTER2" not in json.dumps(msgspec.to_builtins(snapshot))
    return found


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.mark.real
@pytest.mark.parametrize("kind", ["bookworm", "busybox"])
def test_what_the_jobs_of_root_run(net: Lab, kind: str) -> None:
    found = fact(net.host(kind, plant=PLANT).look(frozenset({ScheduledJobs})), ScheduledJobs)
    told = {(one.job.rpartition("/")[2], one.path): one for one in found.programs}
    assert set(told) >= {
        ("crontab", "/opt/jobs/a"),
        ("crontab", "/opt/jobs/b"),
        ("crontab", "/etc/cron.hourly"),
        ("own", "/opt/jobs/d"),
        ("own", "/opt/jobs/e"),
        ("own", "/usr/local/bin/linked"),
        ("root", "/opt/jobs/f"),
        ("job", "/etc/cron.daily/job"),
        ("own.service", "/opt/jobs/g"),
        ("own.service", "/opt/jobs/missing"),
        ("user.service", "/opt/jobs/a"),
        ("more", "/opt/jobs/a"),
        ("more", "/opt/jobs/b"),
        ("more", "/opt/jobs/h"),
        ("more", "/opt/jobs/d"),
        ("more", "/opt/hooks"),
        ("more", "/opt/jobs"),
        ("more", "/root/own"),
        ("o.conf", "/opt/jobs/e"),
    }
    assert told["more", "/opt/jobs/b"].called == "python3"
    assert told["more", "/opt/jobs"].called == "run-parts"
    assert ("more", "/tmp") not in told
    paths = {path for _, path in told}
    assert not paths & {"/opt/jobs/c", "/opt/jobs/never", "/var/log/b", "/dev/null"}
    assert told["own", "/usr/local/bin/linked"].target == "/opt/jobs/h"
    assert told["own", "/opt/jobs/e"].first
    assert told["crontab", "/etc/cron.hourly"].called == "run-parts"
    assert told["own.service", "/opt/jobs/missing"].called == "sh"
    steps = {one.path: one for one in found.steps}
    assert steps["/opt/jobs/a"].mode == "0757"
    assert {"/", "/opt", "/opt/jobs", "/opt/jobs/h"} <= set(steps)
    assert "/opt/jobs/missing" not in steps
    assert found.unread == ()


@pytest.mark.real
def test_tables_that_only_root_reads(net: Lab) -> None:
    closed = (
        f"{PLANT}\nchmod 600 /etc/crontab; chmod 700 /etc/cron.daily; chmod 1730 /var/spool/cron/crontabs"
    )
    wanted = frozenset({ScheduledJobs})
    plain = fact(net.host("bookworm", plant=closed, login="plain").scan(wanted), ScheduledJobs)
    assert {"/etc/crontab", "/etc/cron.daily", "/var/spool/cron"} <= set(plain.unread)
    allowed = fact(net.host("bookworm", plant=closed, login="sudo").scan(wanted), ScheduledJobs)
    assert allowed.unread == ()
    assert {"/opt/jobs/f", "/etc/cron.daily/job", "/opt/jobs/b"} <= {one.path for one in allowed.programs}


@pytest.mark.real
@pytest.mark.parametrize("kind", ["bookworm", "busybox"])
def test_who_may_schedule(net: Lab, kind: str) -> None:
    plant = "printf '# c\\nroot\\nann\\n' >/etc/cron.allow; : >/etc/at.deny"
    found = fact(net.host(kind, plant=plant).look(frozenset({ScheduleAccess})), ScheduleAccess)
    cron, at = found.schedulers
    assert (cron.scheduler, cron.installed, cron.allow, cron.deny) == ("cron", True, ("root", "ann"), None)
    assert cron.asks is (kind == "bookworm")
    assert (at.scheduler, at.installed, at.allow, at.deny) == ("at", False, None, ())


@pytest.mark.real
def test_a_file_that_may_not_be_read_is_told(net: Lab) -> None:
    host = net.host("bookworm", plant="echo root >/etc/cron.allow; chmod 600 /etc/cron.allow", login="plain")
    assert fact(host.scan(frozenset({ScheduleAccess})), ScheduleAccess).schedulers[0].unread


@pytest.mark.real
def test_sudo_that_refuses_and_says_more_is_not_taken_for_an_answer(net: Lab) -> None:
    # A broken line elsewhere in the rules makes sudo complain before it refuses.
    broken = "sed -i '/crontab/d' /etc/sudoers.d/*; printf 'bob ALL=(\\n' >/etc/sudoers.d/zz; "
    host = net.host("bookworm", plant=f"{broken}chmod 600 /etc/crontab; {PLANT}", login="sudo")
    found = fact(host.scan(frozenset({ScheduledJobs})), ScheduledJobs)
    assert "/var/spool/cron" in found.unread


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job\t/etc/crontab\n",
        "noise\nend\n",
        "program\t/etc/crontab\trelative\t1\t\nend\n",
        "program\t/etc/crontab\t/x\t2\t\nend\n",
        "step:9:root:root:directory:/\nend\n",
    ],
)
def test_a_broken_answer_about_jobs_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        scheduled.parse_jobs(text)


def test_a_link_that_ends_nowhere_leaves_the_names_as_they_are() -> None:
    text = "program\t/etc/crontab\t/x\t1\t\nthere\t/x\nthere\t/y\ntarget\t/z\nend\n"
    [found] = scheduled.parse_jobs(text).facts
    assert isinstance(found, ScheduledJobs)
    assert found.programs[0].target == "/x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "scheduler\tcron\tyes\nend\n",
        "allow\troot\nend\n",
        "scheduler\tcron\tmaybe\nscheduler\tat\tno\nend\n",
    ],
)
def test_a_broken_answer_about_schedulers_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        scheduled.parse_access(text)
