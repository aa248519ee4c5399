"""How one option of the SSH servers of a host is judged, named and repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from checks.facts.host.sshd import Sshd, SshServer, SshSettings
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Severity
from checks.verdict import Verdict, expect

MANUAL = "https://man.openbsd.org/sshd_config#"
"""Where each option is described."""

_RELOAD = (
    "  systemctl reload ssh || systemctl reload sshd || service sshd reload ||\n"
    "    echo 'reload sshd by hand: send HUP to its oldest process' >&2"
)


def option_fix(action: str, caution: str = "") -> Fix:
    """The repair of one option: its new line goes to the top, where the first value wins."""
    careful = f" {caution}" if caution else ""
    return Fix(
        action=action,
        do=f"Put `@{{option}} @{{good}}` at the top of @{{config}}, and into the Match block that sets it "
        f"otherwise where the finding names one; check with `sshd -t`, then reload sshd.{careful}",
        verify="sshd -T -f @{config} | grep -i @{option}   # @{option} @{good}",
        effort=Effort(setup=0.25, each=0.05),
        disruption=Disruption.NONE,
        undo="Copy the file that the snippet keeps back over @{config} and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# Keep this session open until a second login has worked.\n"
                "config=@{config}\noption=@{option}\nvalue=@{good}\n"
                'cp -p "$config" "$config.before-$option" &&\n'
                '  printf \'%s %s\\n\' "$option" "$value" | cat - "$config.before-$option" >"$config"\n'
                'if sshd -t -f "$config"; then\n' + _RELOAD + "\n"
                'else cp -p "$config.before-$option" "$config"; fi',
                "config=@{config}\noption=@{option}\n"
                'if sshd -t -f "$config.before-$option"; then\n'
                '  cp -p "$config.before-$option" "$config"\n' + _RELOAD + "\nfi",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Set an option of the SSH server\n"
                "  vars:\n    option: @{option}\n    value: @{good}\n"
                "  ansible.builtin.lineinfile:\n"
                "    path: @{config}\n"
                '    line: "{{ option }} {{ value }}"\n'
                "    insertbefore: BOF\n"
                "    firstmatch: true\n"
                "    backup: true\n"
                "    validate: sshd -t -f %s",
            ),
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
    return expect(
        held,
        on=on,
        saw=saw,
        want=want,
        port=f"tcp/{server.ports[0]}",
        severity=severity,
        values={"option": option, "good": good, "config": server.config},
        cite=f"[{part}] {option.lower()} ",
    )
