"""How sudo is set up: what it records, how long it remembers, and which environment it passes on."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from checks.check import check
from checks.facts.host.packages import Packages
from checks.facts.host.sudoers import SudoDefault, Sudoers, setting_name
from checks.fix import Effort, Fix
from checks.host.fixes import install_package
from checks.host.sudo_edit import MANUAL, drop_in
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OPEN = ("/tmp", "/var/tmp", "/dev/shm", "/home")  # noqa: S108 - names to refuse, not to write to
_UNITS = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}
_CODE = (
    *("LD_*", "BASH_ENV", "ENV", "SHELLOPTS", "BASH_FUNC*", "IFS", "PATH", "GCONV_PATH", "PYTHON*"),
    *("PERL5*", "PERLLIB", "RUBY*", "NODE_*", "JAVA_TOOL_OPTIONS", "GIT_*", "EDITOR_*"),
)
"""Variables that make some program run code of whoever sets them."""


def _setting_fix(action: str, do: str, verify: str) -> Fix:
    return Fix(
        action=action,
        do=f"{do} Write `@{{line}}` to a file in /etc/sudoers.d that comes last; check with `visudo -c`.",
        verify=verify,
        effort=Effort(setup=0.25, each=0.05),
        undo="Delete the file /etc/sudoers.d/zz-@{key}.",
        snippets=drop_in(),
    )


@check(
    "host.sudo-settings.installed",
    title="People become root through sudo, each as themselves",
    severity=Severity.LOW,
    fix=Fix(
        action="Install sudo",
        do="Install @{package}, and add those who may become root to its group.",
        verify="sudo -V | head -n 1   # Sudo version",
        effort=Effort(setup=0.5, each=0.1),
        undo="Remove the package again.",
        snippets=install_package(),
    ),
    refs=(MANUAL,),
)
def installed(
    found: Packages,
    *,
    programs: frozenset[str] = frozenset({"sudo", "sudo-ldap", "sudo-rs", "opendoas", "doas"}),
) -> Verdicts:
    """Where people share the password of root no log tells who did what, and nobody can be shut out alone."""
    there = programs & found.names
    yield expect(bool(there), on="sudo", saw=there, want="a package of it", values={"package": "sudo"})


@check(
    "host.sudo-settings.log-file",
    title="sudo writes what was run to a log of its own",
    severity=Severity.LOW,
    fix=_setting_fix(
        "Give sudo a log of its own",
        "Have sudo write its own log, and send that file on with the other logs.",
        "sudo grep -rn logfile /etc/sudoers /etc/sudoers.d   # Defaults logfile=...",
    ),
    refs=(MANUAL,),
)
def log_file(
    found: Sudoers, *, settings: frozenset[str] = frozenset({"logfile", "log_servers", "log_output"})
) -> Verdicts:
    """What was done as root is the first question after an incident; in the system log it drowns."""
    last = {setting_name(one.setting): one for one in found.defaults if not one.scope}
    on = [last[name].setting for name in settings if name in last and not last[name].setting.startswith("!")]
    silent = "syslog" in last and last["syslog"].setting == "!syslog"
    yield expect(
        bool(on),
        on="log of sudo",
        saw=on or ("no log at all" if silent else "the system log only"),
        want=" or ".join(sorted(settings)),
        severity=Severity.MEDIUM if silent else None,
        values={"key": "logfile", "line": 'Defaults logfile="/var/log/sudo.log"'},
        cite="syslog" if silent else "Defaults",
    )


@check(
    "host.sudo-settings.timeout",
    title="sudo asks for the password again after a while",
    severity=Severity.LOW,
    fix=_setting_fix(
        "Let sudo ask for the password again",
        "A quarter of an hour is enough for most work.",
        "sudo grep -rn timestamp_timeout /etc/sudoers /etc/sudoers.d   # at most 15 in the last file",
    ),
    refs=(MANUAL,),
)
def timeout(found: Sudoers, *, minutes: int = 15) -> Verdicts:
    """As long as sudo remembers the password, whoever gets the open session is root without it."""
    last = {one.scope: one for one in found.values("timestamp_timeout")}
    for scope, one in last.items():
        seen = _minutes(one.setting)
        yield expect(
            0 <= seen <= minutes,
            on=f"Defaults{scope} timestamp_timeout",
            saw=f"{seen:g} minutes" if seen >= 0 else "never again",
            want=f"at most {minutes} minutes",
            values=_line(one, f"timestamp_timeout={minutes}"),
            cite=one.setting.partition("=")[0],
        )
    if "" not in last:
        # 5 minutes as it comes, 15 in the distributions.
        yield expect(
            True,
            on="Defaults timestamp_timeout",
            saw="not set, 15 at most",
            want=f"at most {minutes} minutes",
        )


def _minutes(setting: str) -> float:
    """The minutes of that setting; less than 0 for never, also where the number is not understood."""
    if setting.startswith("!"):
        return 0
    value = setting.partition("=")[2].strip('" ')
    if re.fullmatch(r"\d*\.?\d+", value):
        return float(value)
    parts = re.findall(r"(\d+)([dhms])", value)
    if parts and re.fullmatch(r"(\d+[dhms])+", value):
        return sum(int(count) * _UNITS[unit] for count, unit in parts)
    return -1


@check(
    "host.sudo-settings.environment",
    title="sudo starts programs with a clean environment",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=_setting_fix(
        "Let sudo start programs with a clean environment",
        "Look first which job needs `@{saw}`.",
        "sudo sudo -V | grep -A 60 'Environment variables to preserve'   # no variable that loads code",
    ),
    refs=(MANUAL,),
)
def environment(found: Sudoers, *, code: tuple[str, ...] = _CODE) -> Verdicts:
    """A variable such as LD_PRELOAD makes every command that is allowed run the caller's own code as root."""
    bad = [(one, mend) for one in found.defaults if (mend := _mend(one, found, code))]
    for one, mend in bad:
        yield expect(
            False,
            on=f"Defaults{one.scope} {one.setting} in {one.file}",
            saw=one.setting,
            want=mend,
            values=_line(one, mend),
            cite=setting_name(one.setting),
        )
    if not bad:
        yield expect(True, on="environment", saw="clean", want="env_reset, and no variable that loads code")


def _mend(one: SudoDefault, found: Sudoers, code: tuple[str, ...]) -> str:
    """The setting that takes this one back; empty where it does no harm, or where a later one does that."""
    later = found.defaults
    after = [other.setting for other in later[later.index(one) + 1 :] if other.scope == one.scope]
    if one.setting == "!env_reset":
        return "" if "env_reset" in after else "env_reset"
    if one.setting == "setenv":
        return "" if "!setenv" in after else "!setenv"
    if setting_name(one.setting) != "env_keep" or one.setting.startswith("!") or "-=" in one.setting:
        return ""
    removed = {kept for other in after if other.startswith("env_keep-=") for kept in _names(other)}
    kept = [each for each in _names(one.setting) if any(fnmatchcase(each, bad) for bad in (*code, "[*]"))]
    left = [each for each in kept if each not in removed]
    return f'env_keep -= "{" ".join(left)}"' if left else ""


def _names(setting: str) -> list[str]:
    return [one.partition("=")[0] for one in setting.partition("=")[2].strip('" ').split()]


@check(
    "host.sudo-settings.secure-path",
    title="sudo looks for programs in folders of root only",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=_setting_fix(
        "Let sudo look for programs in folders of root only",
        "Keep the folders of root that are in use on this host.",
        "sudo grep -rn secure_path /etc/sudoers /etc/sudoers.d   # folders of root only",
    ),
    refs=(MANUAL,),
)
def secure_path(found: Sudoers) -> Verdicts:
    """Otherwise the caller's PATH decides, and a program of theirs by the name of a tool runs as root."""
    last = {one.scope: one for one in found.values("secure_path")}
    last.setdefault("", SudoDefault("", "", "!secure_path"))
    for scope, one in last.items():
        unset = one.setting.startswith("!")
        folders = [] if unset else one.setting.partition("=")[2].strip('" ').split(":")
        bad = [each for each in folders if not each.startswith("/") or _open(each)]
        saw = "not set" if unset else ", ".join(f"`{each}`" for each in bad) or ":".join(folders)
        yield expect(
            bool(folders) and not bad,
            on=f"Defaults{scope} secure_path",
            saw=saw,
            want="folders of root, by their whole paths",
            values=_line(one, f'secure_path="{_PATH}"'),
            cite="secure_path",
        )


def _open(folder: str) -> bool:
    return any(folder == one or folder.startswith(f"{one}/") for one in _OPEN)


def _line(one: SudoDefault, setting: str) -> dict[str, str]:
    """The places of a drop-in that overrules this setting for the same people."""
    name = re.sub(r"\W+", "-", f"{one.scope} {setting}").strip("-")[:60]
    return {"key": name, "line": f"Defaults{one.scope} {setting}"}
