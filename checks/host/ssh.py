"""How a host lets people in over SSH."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from checks.check import Check, check, make_check
from checks.facts.host.sshd import Sshd
from checks.host.ssh_options import MANUAL, each_server, judged, option_fix
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts

_ANOTHER_WAY = r"""# Whoever runs this as root over SSH needs another way in afterwards.
if [ -n "$SSH_CONNECTION" ] && [ -z "$SUDO_USER" ]; then
  way=
  for user in $(getent group sudo wheel admin | cut -d: -f4 | tr , ' ') $(
    sed -n 's/^\([a-z_][a-z0-9_-]*\)[[:space:]].*=.*ALL$/\1/p' /etc/sudoers /etc/sudoers.d/* 2>/dev/null); do
    [ "$user" != root ] || continue
    home=$(getent passwd "$user" | cut -d: -f6)
    if [ -s "$home/.ssh/authorized_keys" ] || passwd -S "$user" 2>/dev/null | grep -qE '^[^ ]+ PS? '; then
      way=$user
    fi
  done
  [ -n "$way" ] || { echo 'nobody else can log in and use sudo here: see to that first' >&2; exit 1; }
fi
"""
_OWN_KEY = r"""# Whoever runs this over SSH needs a key afterwards.
who=${SUDO_USER:-root}
home=$(getent passwd "$who" | cut -d: -f6)
[ -z "$SSH_CONNECTION$SUDO_USER" ] || [ -s "$home/.ssh/authorized_keys" ] || {
  echo "there is no key in $home/.ssh/authorized_keys: add one and log in with it first" >&2; exit 1; }
"""


@check(
    "host.ssh.root-login",
    title="SSH refuses direct root logins",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=option_fix(
        "Refuse direct root logins over SSH",
        "Make sure first that somebody else can log in and use sudo.",
        before=_ANOTHER_WAY,
    ),
    refs=(f"{MANUAL}PermitRootLogin",),
)
def root_login(sshd: Sshd, *, allowed: frozenset[str] = frozenset({"no"})) -> Verdicts:
    """A root login over SSH hides who acted, and one guessed password or stolen key owns the host."""
    for server, settings, on in each_server(sshd, "PermitRootLogin", attrgetter("permit_root_login")):
        if settings.user != "root":
            continue
        saw = settings.permit_root_login
        yield judged(
            saw in allowed,
            server,
            settings,
            on=on,
            option="PermitRootLogin",
            saw=saw,
            want=" or ".join(sorted(allowed)),
            good="no" if "no" in allowed else min(allowed),
            # With keys only, a password cannot be guessed.
            severity=None if saw == "yes" else Severity.MEDIUM,
        )


@dataclass(frozen=True, slots=True)
class _Switch:
    """An option that is on or off, and how it should stand."""

    id: str
    option: str
    field: str
    good: bool
    title: str
    action: str
    why: str
    severity: Severity
    impact: Impact
    exploit: Exploit = Exploit.HARDENING
    caution: str = ""
    before: str = ""


_SWITCHES = (
    _Switch(
        "password-auth",
        "PasswordAuthentication",
        "password_authentication",
        good=False,
        title="SSH accepts keys only, no passwords",
        action="Let people log in over SSH with keys only",
        why="Passwords are guessed by machines all day long; a key cannot be guessed.",
        severity=Severity.MEDIUM,
        impact=Impact.SERIOUS,
        exploit=Exploit.AUTOMATABLE,
        caution="Make sure first that every account in use has a working key.",
        before=_OWN_KEY,
    ),
    _Switch(
        "keyboard-interactive",
        "KbdInteractiveAuthentication",
        "keyboard_interactive",
        good=False,
        title="SSH takes no passwords by way of a dialogue",
        action="Close the dialogue by which SSH takes passwords",
        why="With PAM the dialogue asks for the password that PasswordAuthentication no was to keep out.",
        severity=Severity.MEDIUM,
        impact=Impact.SERIOUS,
        exploit=Exploit.AUTOMATABLE,
        caution="Leave it where it asks for a second factor, and waive this with that reason.",
        before=_OWN_KEY,
    ),
    _Switch(
        "empty-passwords",
        "PermitEmptyPasswords",
        "permit_empty_passwords",
        good=False,
        title="SSH refuses accounts without a password",
        action="Refuse SSH logins with an empty password",
        why="An account without a password is then open to everybody who reaches the port.",
        severity=Severity.CRITICAL,
        impact=Impact.TOTAL,
        exploit=Exploit.AUTOMATABLE,
    ),
    _Switch(
        "x11-forwarding",
        "X11Forwarding",
        "x11_forwarding",
        good=False,
        title="SSH forwards no X11 sessions",
        action="Switch off X11 forwarding over SSH",
        why="A hijacked server reads the keyboard and the screen of whoever logs in with X11 forwarding.",
        severity=Severity.LOW,
        impact=Impact.MINOR,
    ),
    _Switch(
        "rhosts",
        "IgnoreRhosts",
        "ignore_rhosts",
        good=True,
        title="SSH ignores the users' .rhosts files",
        action="Ignore .rhosts files in SSH",
        why="A .rhosts file lets a user, or malware in their home, open the account to other hosts.",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
    ),
    _Switch(
        "host-based",
        "HostbasedAuthentication",
        "hostbased_authentication",
        good=False,
        title="SSH trusts no other host's word for a user",
        action="Switch off host-based logins over SSH",
        why="One hijacked host then opens the same accounts on all hosts that trust it.",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
    ),
    _Switch(
        "user-environment",
        "PermitUserEnvironment",
        "permit_user_environment",
        good=False,
        title="Users set no environment for the SSH server",
        action="Keep users from setting the SSH server's environment",
        why="A user's LD_PRELOAD gets around commands that their key is limited to.",
        severity=Severity.MEDIUM,
        impact=Impact.PARTIAL,
    ),
)


def _made(switch: _Switch) -> Check[[Sshd]]:
    def judge(sshd: Sshd) -> Verdicts:
        value = attrgetter(switch.field)
        want = "yes" if switch.good else "no"
        for server, settings, on in each_server(sshd, switch.option, value):
            seen = bool(value(settings))
            yield judged(
                seen is switch.good,
                server,
                settings,
                on=on,
                option=switch.option,
                saw=seen,
                want=want,
                good=want,
            )

    return make_check(
        judge,
        f"host.ssh.{switch.id}",
        title=switch.title,
        why=switch.why,
        severity=switch.severity,
        impact=switch.impact,
        exploit=switch.exploit,
        surface=Surface.SERVICE,
        fix=option_fix(switch.action, switch.caution, before=switch.before),
        refs=(f"{MANUAL}{switch.option}",),
    )


SWITCHES = tuple(_made(switch) for switch in _SWITCHES)
"""One check for each option that is on or off."""


@check(
    "host.ssh.max-auth-tries",
    title="SSH ends a connection after a few failed logins",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix("Limit the login tries of an SSH connection"),
    refs=(f"{MANUAL}MaxAuthTries",),
)
def max_auth_tries(sshd: Sshd, *, limit: int = 4) -> Verdicts:
    """Every further try in one connection makes guessing faster and keeps it out of the log for longer."""
    for server, settings, on in each_server(sshd, "MaxAuthTries", attrgetter("max_auth_tries")):
        yield judged(
            1 <= settings.max_auth_tries <= limit,
            server,
            settings,
            on=on,
            option="MaxAuthTries",
            saw=settings.max_auth_tries,
            want=f"at most {limit}",
            good=str(limit),
        )


@check(
    "host.ssh.login-grace",
    title="SSH waits for a login for a minute at most",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix("Limit how long SSH waits for a login"),
    refs=(f"{MANUAL}LoginGraceTime",),
)
def login_grace(sshd: Sshd, *, seconds: int = 60) -> Verdicts:
    """Connections that never log in hold the server's few places for newcomers, and lock people out."""
    for server, settings, on in each_server(sshd, "LoginGraceTime", attrgetter("login_grace_seconds")):
        yield judged(
            1 <= settings.login_grace_seconds <= seconds,
            server,
            settings,
            on=on,
            option="LoginGraceTime",
            saw=f"{settings.login_grace_seconds} s" if settings.login_grace_seconds else "no limit",
            want=f"1 to {seconds} s",
            good=str(seconds),
        )


@check(
    "host.ssh.log-level",
    title="SSH logs who logs in",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=option_fix("Log SSH logins"),
    refs=(f"{MANUAL}LogLevel",),
)
def log_level(sshd: Sshd, *, allowed: frozenset[str] = frozenset({"INFO", "VERBOSE"})) -> Verdicts:
    """Below INFO no login is on record; above VERBOSE the log tells what belongs to the users."""
    for server, settings, on in each_server(sshd, "LogLevel", attrgetter("log_level")):
        yield judged(
            settings.log_level in allowed,
            server,
            settings,
            on=on,
            option="LogLevel",
            saw=settings.log_level,
            want=" or ".join(sorted(allowed)),
            good="VERBOSE" if "VERBOSE" in allowed else min(allowed),
        )
