"""SSH servers: which run, with which configuration, and what is in force for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.facts.host.sshd import Sshd, SshdStart, SshdStarts, SshServer, SshSettings
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.collector import Collected, stamp
from scanner.collect.host.probe import ParseError, Probe, as_sudoers, number
from scanner.collect.host.sshd_script import ANYBODY, SCRIPT, STRANGER

PRIVILEGES = (
    *(f"/usr/sbin/sshd -T -f /etc/ssh/sshd_config -C {as_sudoers(who)}" for who in (STRANGER, ANYBODY)),
    "/usr/bin/grep -Rhi -e match -e include /etc/ssh/sshd_config /etc/ssh/sshd_config.d",
)
"""The standard configuration only: with a star for the arguments sudo would show any file of the host."""

_NEEDS = "sudo: " + "; ".join(PRIVILEGES)
_MORE = frozenset(
    {
        *("allowusers", "allowgroups", "pubkeyauthentication", "authorizedkeysfile", "authorizedkeyscommand"),
        *("disableforwarding", "allowtcpforwarding", "allowstreamlocalforwarding", "allowagentforwarding"),
        *("permittunnel", "gatewayports", "banner", "maxstartups", "usepam", "strictmodes", "hostkey"),
        "trustedusercakeys",
    }
)
"""Further options that a check asks about; lists that are printed line by line are joined."""
_STANDARD_INCLUDES = (
    "/etc/ssh/sshd_config.d/",
    "/usr/etc/ssh/sshd_config.d/",
    "sshd_config.d/",
    "/etc/crypto-policies/",
)


@dataclass(slots=True)
class _Seen:
    """One server while its lines are read: settings lines by part (0 is the server's own)."""

    number: int
    config: str
    running: bool
    system: bool
    lines: dict[int, list[str]] = field(default_factory=dict)
    matches: dict[int, tuple[str, str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    started: int = 0
    pid_file: str = ""
    times: dict[str, int] = field(default_factory=dict)


def parse(text: str) -> Collected:
    """The `Sshd` in an answer; a server or a Match line whose settings were refused is a gap."""
    servers: dict[str, _Seen] = {}
    gaps: list[Gap] = []
    absent = ""
    for line in text.splitlines():
        if line.startswith("["):
            _settings_line(line, servers)
        elif line.startswith("none\t"):
            path = line.partition("\t")[2]
            absent = f"no OpenSSH server is installed: no sshd in {path}, no process of that name"
        elif line.strip():
            gaps += _line(line.split("\t"), servers)
    found: list[SshServer] = []
    for seen in servers.values():
        try:
            server, more = _server(seen)
        except ParseError as error:
            server, more = None, [Gap("Sshd", str(error), where=seen.config)]
        gaps += more
        found += [server] if server else []
    starts, more = _starts(servers.values())
    facts: tuple[Fact, ...] = ((Sshd(tuple(found)),) if found else ()) + starts
    gaps += more
    nothing = absent and not gaps and not facts
    absences = tuple(Absence(name, absent) for name in ("Sshd", "SshdStarts") if nothing)
    if not (facts or absences or gaps):
        raise ParseError("neither a server nor the lack of one was told")
    # A server and the sessions it forked tell the same.
    return Collected(facts, tuple(dict.fromkeys(gaps)), absences)


def _line(row: list[str], servers: dict[str, _Seen]) -> list[Gap]:
    """Takes one line about the servers in; gives the gap that it tells of."""
    match row:
        case ["server", key, config, running, system]:
            servers[key] = _Seen(number(key, "a server"), config, running == "yes", system == "yes")
        case ["match", key, part, user, shown] if key in servers:
            servers[key].matches[number(part, "a Match line")] = (user, shown)
        case ["unread", key, shown] if key in servers:
            servers[key].unread.append(shown)
        case ["include", key, pattern] if key in servers:
            servers[key].unread += _foreign(pattern)
        case ["started" | "pid" | "time", key, *rest] if key in servers:
            _start_line(row[0], rest, servers[key])
        case ["lines", key] if key in servers:
            servers[key].unread.append(f"Match lines of {servers[key].config}")
        case ["cut", title]:
            return [Gap("Sshd", f"a server's command line is cut short: {title[:120]}")]
        case ["elsewhere", _]:
            # It belongs to a container, which is a host of its own.
            return []
        case ["hidden"]:
            reason = "the processes of others are hidden from this login: other servers may run"
            needs = "a login that sees all processes"
            return [Gap(name, reason, needs=needs) for name in ("Sshd", "SshdStarts")]
        case ["stranger", process]:
            reason = f"process {number(process, 'a process')}, which is not root's, calls itself sshd"
            return [Gap("Sshd", f"{reason}: what it opens to whom was not asked")]
        case ["dropbear"]:
            return [Gap("Sshd", "Dropbear serves SSH here; its options are not read")]
        case _:
            raise ParseError(f"unexpected line {row[0][:60]!r}")
    return []


def _start_line(word: str, rest: list[str], seen: _Seen) -> None:
    match word, rest:
        case "started", [seconds]:
            seen.started = number(seconds, "a time")
        case "pid", [path]:
            seen.pid_file = path
        case "time", [seconds, path]:
            seen.times[path] = number(seconds, "a time")
        case _:
            raise ParseError(f"unexpected line {word[:60]!r}")


def _starts(servers: Collection[_Seen]) -> tuple[tuple[SshdStarts, ...], list[Gap]]:
    """When the running servers read their files; a server that does not tell is a gap."""
    found: list[SshdStart] = []
    gaps: list[Gap] = []
    for seen in servers:
        files = {path: at for path, at in seen.times.items() if path != seen.pid_file}
        if not seen.running:
            continue
        if not seen.started or seen.config not in files:
            gaps.append(
                Gap("SshdStarts", "its start or the age of its files is not shown", where=seen.config)
            )
            continue
        newest = max(files, key=lambda path: files[path])
        written = seen.times.get(seen.pid_file, 0)
        found.append(
            SshdStart(
                seen.config,
                started_at=_stamp(seen.started),
                loaded_at=_stamp(max(seen.started, written)),
                changed_at=_stamp(files[newest]),
                changed_file=newest,
                reloads_seen=written > 0,
            )
        )
    idle = bool(servers) and not any(seen.running for seen in servers)
    return ((SshdStarts(tuple(found)),) if found or idle else ()), gaps


def _stamp(seconds: int) -> str:
    return stamp(datetime.fromtimestamp(seconds % 2**34, UTC))


def _settings_line(line: str, servers: Mapping[str, _Seen]) -> None:
    place, closed, setting = line[1:].partition("] ")
    key, _, part = place.partition(".")
    if not closed or key not in servers:
        raise ParseError(f"unexpected line {line[:60]!r}")
    servers[key].lines.setdefault(number(part or "0", "a part"), []).append(setting)


def _foreign(patterns: str) -> list[str]:
    return [
        f"Match lines of {one}"
        for one in patterns.split("#", maxsplit=1)[0].replace('"', " ").split()
        if not one.startswith(_STANDARD_INCLUDES)
    ]


def _server(seen: _Seen) -> tuple[SshServer | None, list[Gap]]:
    main = seen.lines.get(0, [])
    if refused := _refused(main):
        state = "runs" if seen.running else "is installed and does not run"
        reason = f"sshd {state}; it does not show the settings of {seen.config}: {refused}"
        return None, [Gap("Sshd", reason, where=seen.config, needs=_needs(refused, seen.config))]
    ports = tuple(dict.fromkeys(number(v, "a port") for k, v in map(_pair, main) if k == "port"))
    if not ports:
        raise ParseError(f"sshd -T of {seen.config} names no port")
    settings, gaps = [_settings(main)], []
    for part, (user, shown) in seen.matches.items():
        where = f"{seen.config}: {shown}"
        lines = seen.lines.get(part, [])
        if reason := _refused(lines):
            gaps.append(Gap("Sshd", f"sshd does not show what applies: {reason}", where, _needs(reason)))
        else:
            settings.append(_settings(lines, shown, user, part))
    gaps += [
        Gap("Sshd", "what applies there was not evaluated", where=f"{seen.config}: {one}")
        for one in dict.fromkeys(seen.unread)
    ]
    server = SshServer(seen.number, seen.config, ports, seen.system, seen.running, tuple(settings))
    return server, gaps


def _refused(lines: list[str]) -> str:
    if not lines:
        return "no answer"
    word, _, rest = lines[0].partition(" ")
    return (rest.partition(" ")[2] or "no answer") if word == "failed" else ""


def _needs(reason: str, config: str = "") -> str:
    """What shows the settings; sudo only for the standard file, for which there is a safe rule."""
    if "this login may not" not in reason:
        return ""
    return _NEEDS if config == "/etc/ssh/sshd_config" else "a login as root, or OpenSSH 9.3 and later"


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(" ")
    return key.lower(), value.strip()


def _settings(lines: list[str], condition: str = "", user: str = "root", part: int = 0) -> SshSettings:
    values: dict[str, str] = {}
    more: dict[str, str] = {}
    for line in lines:
        key, value = _pair(line)
        values.setdefault(key, value)
        if key in _MORE:
            more[key] = f"{more[key]} {value}" if key in more else value

    def text(key: str) -> str:
        if key not in values:
            raise ParseError(f"sshd -T does not tell {key}")
        return values[key].lower()

    def count(key: str) -> int:
        return number(text(key), key)

    def names(key: str) -> tuple[str, ...]:
        return tuple(name for name in text(key).split(",") if name)

    interactive = "kbdinteractiveauthentication"
    if interactive not in values:
        interactive = "challengeresponseauthentication"
    # sshd prints the old word for prohibit-password.
    root = text("permitrootlogin").replace("without-password", "prohibit-password")
    return SshSettings(
        permit_root_login=root,
        password_authentication=text("passwordauthentication") != "no",
        keyboard_interactive=text(interactive) != "no",
        permit_empty_passwords=text("permitemptypasswords") != "no",
        max_auth_tries=count("maxauthtries"),
        max_sessions=count("maxsessions"),
        login_grace_seconds=count("logingracetime"),
        client_alive_interval=count("clientaliveinterval"),
        client_alive_count_max=count("clientalivecountmax"),
        x11_forwarding=text("x11forwarding") != "no",
        ignore_rhosts=text("ignorerhosts") == "yes",
        hostbased_authentication=text("hostbasedauthentication") != "no",
        permit_user_environment=text("permituserenvironment") != "no",
        # A server that was built without PAM does not have the word.
        use_pam=values.get("usepam", "no") == "yes",
        log_level=text("loglevel").upper(),
        ciphers=names("ciphers"),
        macs=names("macs"),
        kex_algorithms=names("kexalgorithms"),
        condition=condition,
        user=user,
        part=part,
        options=more,
    )


PROBE = Probe(
    "sshd",
    (Sshd, SshdStarts),
    SCRIPT,
    parse,
    how="sshd -T for each server and each Match line",
    privileges=PRIVILEGES,
    seconds=20,
    limit=262_144,
)
