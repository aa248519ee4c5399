"""The audit system: its daemon, settings, rules in files and rules in the kernel."""

from __future__ import annotations

import re

from checks.facts.host.audit import (
    AuditBoot,
    AuditDaemon,
    AuditRule,
    AuditRuleFiles,
    AuditSettings,
    LoadedAuditRules,
)
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.audit_rules import rule, setting
from scanner.collect.host.probe import ParseError, Probe, number

_RULES = "grep -rHsF -e - /etc/audit/rules.d /etc/audit/audit.rules"
_CONF = "/etc/audit/auditd.conf"
_SCRIPT = r"""
printf 'container\t%s\n' "$(container)"
line=
[ -r /proc/cmdline ] && read -r line </proc/cmdline
[ -z "$line" ] || {
  printf 'cmdline'
  set -f
  for word in $line; do case $word in audit=*|audit_backlog_limit=*) printf '\t%s' "$word" ;; esac; done
  set +f
  printf '\n'
}
if [ -s /var/lib/dpkg/status ]; then package=auditd; else package=audit; fi
# Some distributions let root alone start them, so that a plain login has no such command.
auditctl= auditd=
for folder in /usr/sbin /sbin /usr/bin; do
  [ -e "$folder/auditctl" ] && auditctl=yes
  [ -e "$folder/auditd" ] && auditd=yes
done
[ "$auditctl$auditd" ] || { printf 'absent\t%s\n' "$package"; exit 0; }
printf 'installed\t%s\t%s\n' "$package" "$(uname -m)"
as_root cat @CONF@ 2>/dev/null | head -c 16384 | awk -F = '/^[ \t]*[a-z_]+[ \t]*=/ {
  gsub(/[ \t]/, "", $1); gsub(/^[ \t]+|[ \t]+$/, "", $2); print "setting\t" $1 "\t" $2 }'
{ as_root @RULES@ 2>/dev/null; printf 'files\t%s\n' "$?"; } | head -n 3000 | cut -c 1-2000
if [ "$auditctl" ]; then
  { as_root auditctl -l 2>/dev/null; printf 'listed\t%s\n' "$?"; } | head -n 3000 | cut -c 1-2000
  as_root auditctl -s 2>/dev/null | head -n 40 |
    awk '$1 == "enabled" || $1 == "lost" { print "status\t" $1 "\t" $2 }'
fi
exit 0
"""
_LIST, _STATUS = "/usr/sbin/auditctl -l", "/usr/sbin/auditctl -s"


def parse(text: str) -> Collected:
    """What the answer says of the audit system; without its daemon there are no rules and no settings."""
    words: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
    status: dict[str, str] = {}
    files: list[tuple[str, str]] = []
    loaded: list[str] = []
    for line in text.splitlines():
        word, *rest = line.split("\t")
        if word in ("container", "cmdline", "absent", "installed", "files", "listed") and word not in words:
            words[word] = rest
        elif word == "setting" and len(rest) == 2:
            settings[rest[0]] = rest[1].lower()
        elif word == "status" and len(rest) == 2:
            status[rest[0]] = rest[1]
        elif found := re.match(r"(/etc/audit/(?:rules\.d/)?[^/:]+):(.*)", line):
            files.append((found[1], found[2].strip()))
        elif line.startswith("-") and "files" in words:
            loaded.append(line.strip())
        elif line.strip() and line != "No rules" and not line.startswith("/etc/audit/"):
            raise ParseError(f"unexpected line {line[:60]!r}")
    seen = [_boot(words), _daemon(words)]
    if "installed" in words:
        seen += [_settings(settings), _files(words, files), _loaded(words, loaded, status)]
    else:
        reason = "no audit daemon is installed"
        absent = (AuditRuleFiles, LoadedAuditRules, AuditSettings)
        seen.append(Collected(absences=tuple(Absence(fact.__name__, reason) for fact in absent)))
    return Collected(
        tuple(fact for one in seen for fact in one.facts),
        tuple(gap for one in seen for gap in one.gaps),
        tuple(absence for one in seen for absence in one.absences),
    )


def _gap(fact: type[Fact], reason: str, needs: str = "", where: str = "") -> Collected:
    return Collected(gaps=(Gap(fact.__name__, reason, where, needs),))


def _boot(words: dict[str, list[str]]) -> Collected:
    if "cmdline" not in words:
        return _gap(AuditBoot, "/proc/cmdline may not be read")
    values = dict(word.split("=", 1) for word in words["cmdline"] if "=" in word)
    return Collected((AuditBoot(values.get("audit", ""), values.get("audit_backlog_limit", "")),))


def _daemon(words: dict[str, list[str]]) -> Collected:
    match words.get("container"), words.get("installed"), words.get("absent"):
        case [container], [package, _machine], None:
            return Collected((AuditDaemon(True, package, container),))
        case [container], None, [package]:
            return Collected((AuditDaemon(False, package, container),))
        case _:
            raise ParseError("it does not say whether there is an audit daemon")


def _settings(settings: dict[str, str]) -> Collected:
    if not settings:
        return _gap(AuditSettings, f"{_CONF} could not be read", f"sudo: /usr/bin/cat {_CONF}")
    return Collected((AuditSettings(settings),))


def _files(words: dict[str, list[str]], lines: list[tuple[str, str]]) -> Collected:
    needs = f"sudo: /usr/bin/{_RULES}"
    match words.get("files"):
        case ["126"]:
            return _gap(AuditRuleFiles, "the files of audit rules need root", needs)
        case ["0" | "1" | "2"]:
            pass
        case _:
            raise ParseError("the files of audit rules have no end")
    # What augenrules finds in the folder takes the place of the single file.
    apart = [one for one in lines if re.fullmatch(r"/etc/audit/rules\.d/[^/]+\.rules", one[0])]
    chosen = apart or [one for one in lines if one[0] == "/etc/audit/audit.rules"]
    chosen.sort(key=lambda one: one[0])
    rules, gaps = [], []
    for file, line in chosen:
        try:
            if (found := rule(line)) is not None:
                rules.append(found)
        except ParseError as error:
            gaps.append(Gap(AuditRuleFiles.__name__, str(error), where=file))
    enabled = [value for _, line in chosen if (value := setting(line, "-e"))]
    [_, machine] = words["installed"]
    names = tuple(dict.fromkeys(file for file, _ in chosen))
    fact = AuditRuleFiles(tuple(rules), names, enabled[-1] if enabled else "", machine)
    return Collected((fact,), tuple(gaps))


def _loaded(words: dict[str, list[str]], lines: list[str], status: dict[str, str]) -> Collected:
    needs = f"sudo: {_LIST}; {_STATUS}"
    match words.get("listed"):
        case ["126"]:
            return _gap(LoadedAuditRules, "the rules in the kernel are shown to root only", needs)
        case ["0"]:
            pass
        case None:
            return _gap(LoadedAuditRules, "the host has no auditctl that lists the rules in the kernel")
        case [ended]:
            return _gap(LoadedAuditRules, f"the kernel did not show its audit rules (status {ended})")
        case _:
            raise ParseError("the list of audit rules has no end")
    if not {"enabled", "lost"} <= status.keys():
        return _gap(LoadedAuditRules, "the state of the audit system is not told", needs)
    rules: list[AuditRule] = []
    for line in lines:
        if (found := rule(line)) is None:
            raise ParseError(f"no audit rule: {line[:60]!r}")
        rules.append(found)
    return Collected(
        (LoadedAuditRules(tuple(rules), status["enabled"], number(status["lost"], "lost records")),)
    )


PROBE = Probe(
    "audit",
    (AuditDaemon, AuditBoot, AuditSettings, AuditRuleFiles, LoadedAuditRules),
    _SCRIPT.replace("@RULES@", _RULES).replace("@CONF@", _CONF),
    parse,
    how="/etc/audit and auditctl -l",
    privileges=(f"/usr/bin/{_RULES}", f"/usr/bin/cat {_CONF}", _LIST, _STATUS),
    limit=524_288,
)
