"""Whom an SSH server believes: accounts, files, its own keys, and whether it runs with what its files say."""

from __future__ import annotations

import re
from operator import attrgetter

from checks.check import check
from checks.facts.host.ssh_keys import HostKeys
from checks.facts.host.sshd import Sshd, SshdStarts
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.ssh_options import MANUAL, RELOAD, each_server, judged, option_fix, told
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_EVERYBODY = re.compile(r"[*?]*\*[*?]*(@|$)")


@check(
    "host.ssh-server.allow-list",
    title="SSH names who may log in",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Name the accounts that may log in over SSH",
        do="Make a group of those who need a login, add them, and set `AllowGroups` to it in @{config}; "
        "check with `sshd -t`, reload sshd, and try a second login before you close the first. Who needs a "
        "login is for people to decide: a list made by a machine locks somebody out, or lets everybody in.",
        verify="sshd -T -f @{config} | grep -iE '^allow(users|groups)'   # the accounts or groups",
        effort=Effort(setup=1, each=0.25),
        undo="Take the line out of @{config} again, and reload sshd.",
    ),
    refs=(f"{MANUAL}AllowGroups", f"{MANUAL}AllowUsers"),
)
def allow_list(sshd: Sshd) -> Verdicts:
    """Without a list every account that a package or a mistake adds is open to whoever has its password."""

    def named(settings: object) -> str:
        options = attrgetter("options")(settings)
        lists = (options.get("allowusers", ""), options.get("allowgroups", ""))
        # One pattern that means everybody opens the whole list; one host for all accounts names none of them.
        return " ".join(one for one in lists if one and not any(_EVERYBODY.match(p) for p in one.split()))

    for server, settings, on in each_server(sshd, "AllowUsers or AllowGroups", named):
        saw = named(settings)
        yield judged(
            bool(saw),
            server,
            settings,
            on=on,
            option="AllowGroups",
            saw=saw or "everybody",
            want="a list of accounts or groups",
            good="",
        )


@check(
    "host.ssh-server.pam",
    title="SSH asks PAM about every account",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=option_fix("Let SSH ask PAM about accounts"),
    refs=(f"{MANUAL}UsePAM",),
)
def pam(sshd: Sshd) -> Verdicts:
    """Without PAM the expiry of an account, a limit or a second factor holds at the console but not here."""
    for server, settings, on in each_server(sshd, "UsePAM", told("UsePAM")):
        saw = told("UsePAM")(settings)
        if not saw:
            yield not_applicable(on, "this server was built without PAM: it does not know the option")
            continue
        yield judged(saw == "yes", server, settings, on=on, option="UsePAM", saw=saw, want="yes", good="yes")


@check(
    "host.ssh-server.strict-modes",
    title="SSH refuses login keys that others can change",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.SERVICE,
    fix=option_fix(
        "Refuse SSH login keys that others can change",
        "Look first whether homes and .ssh folders belong to their users alone: keys in others stop working.",
    ),
    refs=(f"{MANUAL}StrictModes",),
)
def strict_modes(sshd: Sshd) -> Verdicts:
    """With the check off, whoever may write to somebody's home adds a key and logs in as them."""
    for server, settings, on in each_server(sshd, "StrictModes", told("StrictModes")):
        saw = told("StrictModes")(settings)
        if not saw:
            yield unknown(on, "the server does not tell StrictModes", port=f"tcp/{server.ports[0]}")
            continue
        yield judged(
            saw == "yes", server, settings, on=on, option="StrictModes", saw=saw, want="yes", good="yes"
        )


@check(
    "host.ssh-server.running-configuration",
    title="SSH runs with what its files say",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Reload SSH servers that run with old settings",
        do="Check @{config} with `sshd -t`, then reload sshd. Keep your session open until a second login "
        "has worked: settings that were never tried come into force.",
        verify="ls -lt @{config} /run/sshd.pid   # the pid file comes first",
        effort=Effort(setup=0.1, each=0.05),
        disruption=Disruption.NONE,
        undo="There is nothing to undo; the settings themselves are undone in @{config}.",
        snippets=(
            Snippet(Language.SHELL, f'config=@{{config}}\n{RELOAD}sshd -t -f "$config" && reload && sleep 1'),
            Snippet(
                Language.ANSIBLE,
                "- name: Reload the SSH server\n"
                "  ansible.builtin.service:\n"
                "    name: \"{{ 'ssh' if ansible_os_family == 'Debian' else 'sshd' }}\"\n"
                "    state: reloaded",
            ),
        ),
    ),
    refs=("https://man.openbsd.org/sshd",),
)
def running_configuration(found: SshdStarts) -> Verdicts:
    """A hardening that was written and never loaded protects nothing, though the files say that it does."""
    for server in found.servers:
        fresh = server.changed_at <= server.loaded_at
        if not fresh and not server.reloads_seen:
            reason = (
                f"{server.changed_file} changed at {server.changed_at}, after the start at "
                f"{server.started_at}; whether it was reloaded since leaves no trace without a pid file"
            )
            yield unknown(server.config, reason, needs="a login as root, which reads the server's pid file")
            continue
        yield expect(
            fresh,
            on=server.config,
            saw=f"loaded at {server.loaded_at}, {server.changed_file} changed at {server.changed_at}",
            want="loaded after the last change",
            values={"config": server.config},
            cite="time\t",
        )


@check(
    "host.ssh-server.host-keys",
    title="SSH proves itself with strong host keys",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Replace weak SSH host keys",
        do="Make a new key in the place of @{path} and reload sshd; clients that know the host by this key "
        "only will warn, so tell them the new fingerprint.",
        verify="ssh-keygen -lf @{path}.pub   # 3072 or more bits for RSA, no DSA",
        effort=Effort(setup=0.25, each=0.1),
        undo="Put the key that the snippet keeps beside it back in its place, and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "config=@{config}\nkey=@{path}\nkind=@{kind}\n"
                f"{RELOAD}"
                '[ ! -e "$key.weak" ] || { echo "$key.weak is in the way" >&2; exit 1; }\n'
                'mv "$key" "$key.weak" && mv "$key.pub" "$key.pub.weak"\n'
                'if [ "$kind" = rsa ]; then ssh-keygen -q -t rsa -b 3072 -N \'\' -f "$key"\n'
                'else sed -i "s|^[[:space:]]*hostkey[[:space:]=]*$key|#before hostkey: &|I" "$config"; fi\n'
                'sshd -t -f "$config" && reload',
                f"config=@{{config}}\nkey=@{{path}}\n{RELOAD}"
                'mv "$key.weak" "$key" && mv "$key.pub.weak" "$key.pub" &&\n'
                '  sed -i "s|^#before hostkey: \\(.*$key\\)|\\1|" "$config" &&\n'
                '  sshd -t -f "$config" && reload',
            ),
        ),
    ),
    refs=(f"{MANUAL}HostKey", "https://www.rfc-editor.org/rfc/rfc9142"),
)
def host_keys(sshd: Sshd, keys: HostKeys, *, rsa_bits: int = 3072) -> Verdicts:
    """Whoever computes the private half of a weak host key is the host for its clients, and reads along."""
    known = {key.path: key for key in keys.keys}
    for server in sshd.servers:
        port = f"tcp/{server.ports[0]}"
        paths = server.settings[0].options.get("hostkey", "").split()
        if not paths:
            yield unknown(
                f"host keys of {server.config}", "the server does not tell which it uses", port=port
            )
        for path in paths:
            key = known.get(path)
            if key is None:
                yield unknown(path, "there is no public half to look at in /etc/ssh", port=port)
                continue
            weak = key.kind == "dsa" or (key.kind == "rsa" and key.bits < rsa_bits)
            broken = key.kind == "dsa" or key.bits < 2048
            yield expect(
                not weak,
                on=path,
                saw=f"{key.kind}, {key.bits} bits",
                want=f"no DSA, and at least {rsa_bits} bits for RSA",
                port=port,
                severity=Severity.HIGH if broken else Severity.LOW,
                values={"path": path, "config": server.config, "kind": key.kind},
                cite=path,
            )
