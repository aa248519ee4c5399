"""How one option of the SSH servers of a host is judged, named and repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from checks.facts.host.sshd import Sshd, SshServer, SshSettings
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Severity
from checks.verdict import Verdict, expect

MANUAL = "https://man.openbsd.org/sshd_config#"
"""Where each option is described."""

RELOAD = """reload() {
  at=user=root,host=h.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22
  pid=$(cat "$(sshd -T -f "$config" -C "$at" | sed -n 's/^pidfile //p')")
  if [ "$(cat "/proc/$pid/comm")" = sshd ]; then kill -HUP "$pid"
  else systemctl reload ssh || systemctl reload sshd || service ssh reload || service sshd reload ||
    echo 'reload sshd by hand: send HUP to its oldest process'; fi
} 2>/dev/null
"""
"""A shell function: the server with the configuration `$config` reads it again, where one runs."""

_FILES = r"""config=@{config}
option=@{option}
block=@{block}
tag=$option${block:+ in $block}
export option block tag
set -- "$config"
[ "$config" != /etc/ssh/sshd_config ] || set -- "$@" /etc/ssh/sshd_config.d/*.conf
new=$(mktemp)
# change FILE PROGRAM: lets awk change the file, which keeps its owner and mode.
change() { [ ! -f "$1" ] || { awk "$2" "$1" >"$new" && { cmp -s "$new" "$1" || cat "$new" >"$1"; }; }; }
back() {
  for file do
    change "$file" '
      $0 == "# " ENVIRON["tag"] " as hardened" { getline; next }
      index($0, "#before " ENVIRON["tag"] ": ") == 1 { $0 = substr($0, length(ENVIRON["tag"]) + 11) }
      { print }'
  done
}
"""
_DO = (
    "# Keep this session open until a second login has worked.\n"
    + _FILES
    + "value=@{good}\n"
    + RELOAD
    + r"""back "$@"
# The lines that set it now stay as comments: those of this Match block, or else those for everybody.
for file do
  change "$file" '
    { line = $0; sub(/^[ \t]+/, "", line); sub(/[ \t]*#.*/, "", line); gsub(/\t/, " ", line) }
    { word = tolower(line); sub(/[ =].*/, "", word) }
    word == "match" { inside = line }
    inside == ENVIRON["block"] && word == tolower(ENVIRON["option"]) {
      $0 = "#before " ENVIRON["tag"] ": " $0
    }
    { print }'
done
[ -n "$block" ] || {
  printf '# %s as hardened\n%s %s\n' "$option" "$option" "$value" | cat - "$config" >"$new"
  cat "$new" >"$config"
}
sshd -t -f "$config" && reload || { back "$@"; false; }
ended=$?
rm -f "$new"
(exit "$ended")"""
)
_UNDO = _FILES + RELOAD + 'back "$@"\nrm -f "$new"\nsshd -t -f "$config" && reload'
_ANSIBLE = """- name: Set an option of the SSH server
  vars:
    option: @{option}
    value: @{good}
  ansible.builtin.lineinfile:
    path: @{config}
    line: "{{ option }} {{ value }}"
    insertbefore: BOF
    backup: true
    validate: sshd -t -f %s"""


def option_fix(action: str, caution: str = "", *, before: str = "", after_undo: str = "") -> Fix:
    """The repair of one option: its new line goes to the top, where the first value wins.

    `before` are shell lines that prepare what the option names, `after_undo` those that take it away again.
    """
    careful = f" {caution}" if caution else ""
    return Fix(
        action=action,
        do="Put `@{option} @{good}` at the top of @{config}, or take the option out of the Match block that "
        f"sets it otherwise where the finding names one; check with `sshd -t`, then reload sshd.{careful}",
        verify="sshd -T -f @{config} | grep -i @{option}   # @{option} @{good}",
        effort=Effort(setup=0.25, each=0.05),
        disruption=Disruption.NONE,
        undo="Take the two lines that the snippet added out of @{config} again, and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                before + _DO,
                _UNDO + after_undo,
            ),
            Snippet(Language.ANSIBLE, _ANSIBLE),
        ),
    )


def each_server(
    sshd: Sshd, option: str, value: Callable[[SshSettings], object]
) -> Iterator[tuple[SshServer, SshSettings, str]]:
    """What to judge: every server, and every Match line that changes the value, each with its name."""
    for server in sshd.servers:
        own = server.settings[0]
        name = option if server.system else f"{option} (port {server.ports[0]})"
        yield server, own, name
        for other in server.settings[1:]:
            if value(other) != value(own):
                yield server, other, f"{name} in {other.condition}"


def told(option: str) -> Callable[[SshSettings], str]:
    """A reader of one of the further options; an option that is not there reads as empty."""
    return lambda settings: settings.options.get(option.lower(), "")


def judged(
    held: bool,
    server: SshServer,
    settings: SshSettings,
    *,
    on: str,
    option: str,
    saw: object,
    want: str,
    good: str,
    severity: Severity | None = None,
) -> Verdict:
    """A verdict about one option, through the port of its server, with the places of the fix."""
    part = f"{server.number}.{settings.part}" if settings.condition else str(server.number)
    block = settings.condition if settings.condition.lower().startswith("match") else ""
    return expect(
        held,
        on=on,
        saw=saw,
        want=want,
        port=f"tcp/{server.ports[0]}",
        severity=severity,
        values={"option": option, "good": good, "config": server.config, "block": block},
        cite=f"[{part}] {option.lower()} ",
    )
