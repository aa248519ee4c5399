"""Keys that open accounts of a host over SSH."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.accounts import Accounts
from checks.facts.host.ssh_keys import AuthorizedKey, AuthorizedKeys
from checks.facts.host.sshd import Sshd, SshServer
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.ssh_options import MANUAL
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_FORMAT = "https://man.openbsd.org/sshd#AUTHORIZED_KEYS_FILE_FORMAT"
_RESTRICTIONS = frozenset({"no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty"})
_SHARED_FOLDERS = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - names to refuse, not to write to
_THE_LINE = (
    "file=@{file}\nline=@{line}\nkey=@{fingerprint}\nnew=$(mktemp)\n"
    '[ "$(sed -n "${line}p" "$file" | ssh-keygen -lf - | cut -d " " -f 2)" = "$key" ] ||\n'
    '  { echo "line $line of $file is another by now" >&2; exit 1; }\n'
)
_WRITE = '"$file" >"$new" && cat "$new" >"$file"\nended=$?\nrm -f "$new"\n(exit "$ended")'


def take_out(action: str, do: str, key: str = "") -> Fix:
    """The repair that takes one login key out of its file (`@{file}`, `@{line}`, `@{fingerprint}`)."""
    return Fix(
        action=action,
        do=do,
        verify="ssh-keygen -lf @{file} | grep -c @{fingerprint}   # 0",
        effort=Effort(setup=0.5, each=0.1),
        undo="Take the `#removed: ` in front of the key in @{file} away again.",
        snippets=(
            Snippet(
                Language.SHELL,
                f"{_THE_LINE}"
                '[ "$(ssh-keygen -lf "$file" | wc -l)" -gt 1 ] ||\n'
                '  { echo "it is the only key in $file: add the new one first" >&2; exit 1; }\n'
                f'sed "${{line}}s/^/#removed: /" {_WRITE}',
                f'file=@{{file}}\nline=@{{line}}\nnew=$(mktemp)\nsed "${{line}}s/^#removed: //" {_WRITE}',
            ),
        ),
        key=key,
    )


def _named(key: AuthorizedKey) -> str:
    return f"{key.label} for {key.account}"


def _places(key: AuthorizedKey) -> dict[str, str]:
    return {
        "file": key.file,
        "line": str(key.line),
        "fingerprint": key.fingerprint,
        "label": key.label,
        "account": key.account,
    }


@check(
    "host.ssh-keys.weak",
    title="Every login key is strong",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.LOCAL,
    fix=take_out(
        "Replace weak SSH login keys",
        "Ask the owner of @{label} for an ed25519 key, add it, and take the old one out of @{file}.",
        key="ssh-key:@{fingerprint}",
    ),
    refs=(_FORMAT, "https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"),
)
def weak(found: AuthorizedKeys, *, rsa_bits: int = 2048) -> Verdicts:
    """From the public half of a short RSA or DSA key, which is no secret, others compute the private one."""
    bad = [key for key in found.keys if key.kind == "dsa" or (key.kind == "rsa" and key.bits < rsa_bits)]
    for key in bad:
        yield expect(
            False,
            on=_named(key),
            saw=f"{key.kind}, {key.bits} bits",
            want=f"no DSA, and at least {rsa_bits} bits for RSA",
            values=_places(key),
            cite=key.file,
        )
    if not bad:
        yield expect(True, on="login keys", saw=f"none weak of {len(found.keys)}", want="none weak")


@check(
    "host.ssh-keys.root",
    title="Every login key of root is known",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    surface=Surface.LOCAL,
    fix=take_out(
        "Review the SSH keys that open root",
        "Find out whose key @{label} is. Take it out of @{file}, or name it in the threshold `known` of the "
        "baseline with the person or the job that it belongs to.",
        key="ssh-root-key:@{fingerprint}",
    ),
    refs=(_FORMAT,),
)
def root(accounts: Accounts, found: AuthorizedKeys, *, known: frozenset[str] = frozenset()) -> Verdicts:
    """A key of root that nobody can name is how an intruder, or somebody who left, comes back."""
    zero = {account.name for account in accounts.accounts if account.uid == 0} | {"root"}
    files = {file.path: file for file in found.files}
    keys = [key for key in found.keys if key.account in zero]
    for key in keys:
        changed = files[key.file].changed_at if key.file in files else ""
        yield expect(
            bool({key.fingerprint, key.comment} & known),
            on=_named(key),
            saw=f"{key.kind}, in {key.file}" + (f", which changed last at {changed}" if changed else ""),
            want="named in the threshold `known` by its fingerprint or comment",
            values=_places(key),
            cite=key.file,
        )
    if not keys:
        yield expect(True, on="keys of root", saw="none", want="none, or only known ones")


@check(
    "host.ssh-keys.forced-commands",
    title="A login key for one command gives nothing else",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Restrict SSH keys that are for one command",
        do="Put `restrict,` in front of the options of @{label} in @{file}; give back what the job needs, "
        "such as `pty`.",
        verify="grep -c restrict,command= @{file}   # 1 or more",
        effort=Effort(setup=0.25, each=0.1),
        undo="Take `restrict,` out of the line again.",
        snippets=(
            Snippet(
                Language.SHELL,
                f'{_THE_LINE}sed "${{line}}s/^[[:space:]]*/restrict,/" {_WRITE}',
                f'file=@{{file}}\nline=@{{line}}\nnew=$(mktemp)\nsed "${{line}}s/^restrict,//" {_WRITE}',
            ),
        ),
    ),
    refs=(_FORMAT,),
)
def forced_commands(found: AuthorizedKeys) -> Verdicts:
    """Without restrictions such a key forwards ports into the network past the one command that it is for."""
    keys = [key for key in found.keys if "command=" in key.options]
    for key in keys:
        missing = _RESTRICTIONS - set(key.options)
        yield expect(
            "restrict" in key.options or not missing,
            on=_named(key),
            saw=f"not restricted: {', '.join(sorted(missing))}" if missing else "restricted",
            want="restrict, or all of them",
            values=_places(key),
            cite=key.file,
        )
    if not keys:
        yield expect(True, on="login keys", saw="none is for one command", want="such keys are restricted")


@check(
    "host.ssh-keys.files",
    title="Only an account itself changes which keys open it",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Keep others from changing SSH login keys",
        do="Give @{on} to @{owner} and take the right to write away from all others.",
        verify="stat -c '%a %U' @{on}   # no group or other write, @{owner} or root",
        effort=Effort(setup=0.25, each=0.05),
        undo="`chown` and `chmod` with the former owner and mode: @{saw}.",
        snippets=(
            Snippet(
                Language.SHELL,
                "chown -- @{owner} @{on} && chmod go-w -- @{on}",
                "chown -- @{was} @{on} && chmod @{mode} -- @{on}",
            ),
        ),
    ),
    refs=(_FORMAT,),
)
def files(found: AuthorizedKeys) -> Verdicts:
    """Whoever may write to the file adds a key of their own and is that account at the next login."""
    for file in found.files:
        if not file.mode:
            reason = "only sudo could read it, and it does not show the mode"
            yield unknown(file.path, reason, needs="a login as root")
            continue
        mine = file.owner == "root" or (file.owner in file.accounts and len(file.accounts) == 1)
        yield expect(
            mine and not int(file.mode, 8) & 0o022,
            on=file.path,
            saw=f"{file.mode}, owner {file.owner}",
            want=f"no write for group and others, owner {file.accounts[0]} or root",
            values={
                "owner": file.owner if mine else (file.accounts[0] if len(file.accounts) == 1 else "root"),
                "was": file.owner,
                "mode": file.mode,
            },
            cite=file.path,
        )
    if not found.files:
        yield expect(True, on="login keys", saw="no file of them", want="only their account writes them")


@check(
    "host.ssh-keys.sources",
    title="SSH takes login keys from files of each account's own",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Take SSH login keys from files of each account's own",
        do="Set AuthorizedKeysFile in @{config} to `.ssh/authorized_keys`, or to a folder of root with one "
        "file for each account, and move the keys there. Which key is for which account is for people to "
        "say.",
        verify="sshd -T -f @{config} | grep -i '^authorizedkeysfile'   # .ssh/authorized_keys, or with %u",
        effort=Effort(setup=1, each=0.25),
        undo="Set AuthorizedKeysFile in @{config} back to @{saw}, and reload sshd.",
    ),
    refs=(f"{MANUAL}AuthorizedKeysFile", f"{MANUAL}AuthorizedKeysCommand"),
)
def sources(sshd: Sshd, found: AuthorizedKeys) -> Verdicts:
    """Every key in a file for all accounts opens root as well; in a shared folder anybody adds theirs."""
    for server in sshd.servers:
        for settings in server.settings:
            name = f"{server.config} in {settings.condition}" if settings.condition else server.config
            told = settings.options
            if "authorizedkeysfile" not in told:
                yield unknown(name, "the server does not tell AuthorizedKeysFile", port=_port(server))
            if told.get("authorizedkeyscommand", "none") != "none":
                reason = f"keys also come from a program: {told['authorizedkeyscommand']}"
                yield unknown(f"{name}: AuthorizedKeysCommand", reason, port=_port(server))
            if (authority := told.get("trustedusercakeys", "none")) != "none":
                reason = f"whoever has a certificate of {authority} comes in too; who has one was not seen"
                needs = "the list of certificates that the authority itself keeps"
                yield unknown(f"{name}: TrustedUserCAKeys", reason, needs=needs, port=_port(server))
            for pattern in told.get("authorizedkeysfile", "none").split():
                if pattern != "none":
                    yield _source(server, f"{name}: {pattern}", pattern, found)


def _source(server: SshServer, on: str, pattern: str, found: AuthorizedKeys) -> Verdict:
    own = not pattern.startswith("/") or any(place in pattern for place in ("%u", "%h", "%U"))
    good = own and not pattern.startswith(_SHARED_FOLDERS)
    if good and pattern not in found.patterns:
        return unknown(on, "the keys in these files were not read", port=_port(server))
    return expect(
        good,
        on=on,
        saw=pattern,
        want="a file of each account's own",
        port=_port(server),
        values={"config": server.config},
        cite="authorizedkeysfile ",
    )


def _port(server: SshServer) -> str:
    return f"tcp/{server.ports[0]}"
