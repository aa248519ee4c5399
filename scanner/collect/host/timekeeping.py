"""Who keeps the time of the host, and whether it is right."""

from __future__ import annotations

from checks.facts.host.services import TimeKeeping
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
printf 'container\t%s\n' "$(container)"
[ -r /proc/1/comm ] || printf 'hidden\n'
cat /proc/[0-9]*/comm 2>/dev/null | awk '
  /^(chronyd|ntpd|openntpd|ntpsec|systemd-timesyn|timesyncd|ptp4l|phc2sys)$/ && !seen[$0]++ {
    print "daemon\t" $0 }' | sort
# Without a running systemd there is nobody who would answer.
has timedatectl && [ -d /run/systemd/system ] && printf 'timedatectl\t%s\n' \
  "$(timedatectl show -p NTPSynchronized 2>/dev/null | sed -n 's/^NTPSynchronized=//p')"
has chronyc && printf 'chronyc\t%s\n' \
  "$(chronyc -n tracking 2>/dev/null | sed -n 's/^Leap status *: *//p')"
has ntpq && printf 'ntpq\t%s\n' "$(ntpq -c 'rv 0 leap' 2>/dev/null | sed -n 's/.*leap=\([0-9]*\).*/\1/p')"
exit 0
"""
_SAID = {
    ("timedatectl", "yes"): "synchronised",
    ("timedatectl", "no"): "unsynchronised",
    ("chronyc", "Normal"): "synchronised",
    ("chronyc", "Not synchronised"): "unsynchronised",
    ("ntpq", "0"): "synchronised",
    ("ntpq", "00"): "synchronised",
    ("ntpq", "3"): "unsynchronised",
    ("ntpq", "11"): "unsynchronised",
}
_FULL_NAMES = {"systemd-timesyn": "systemd-timesyncd"}
"""The kernel keeps 15 characters of a process name."""


def parse(text: str) -> Collected:
    """The `TimeKeeping` in an answer.

    One witness for synchronised is enough: chrony need not tell the kernel, and so timedatectl.
    """
    daemons: list[str] = []
    answer = "silent"
    container: str | None = None
    hidden = False
    for row in rows(text):
        match row:
            case ["container", kind]:
                container = kind
            case ["hidden"]:
                hidden = True
            case ["daemon", name]:
                daemons.append(_FULL_NAMES.get(name, name))
            case ["timedatectl" | "chronyc" | "ntpq" as tool, said]:
                heard = _SAID.get((tool, said), "silent")
                answer = heard if answer != "synchronised" and heard != "silent" else answer
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if container is None:
        raise ParseError("no answer about containers")
    if hidden and answer == "silent":
        return Collected(gaps=(Gap("TimeKeeping", "the processes of others are hidden from this login"),))
    return Collected((TimeKeeping(tuple(daemons), answer, container),))


PROBE = Probe(
    "time",
    (TimeKeeping,),
    _SCRIPT,
    parse,
    how="time daemons, timedatectl, chronyc tracking",
    seconds=8,
    limit=4_096,
)
