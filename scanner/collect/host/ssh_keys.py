"""Keys around SSH: which open accounts, which people keep here, which are the host's own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.facts.host.ssh_keys import (
    AuthorizedKey,
    AuthorizedKeys,
    HostKey,
    HostKeys,
    KeyFile,
    PrivateKey,
    PrivateKeys,
    TrustFile,
    TrustFiles,
)
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.collector import Collected, stamp
from scanner.collect.host.probe import ParseError, Probe, as_sudoers, number
from scanner.collect.host.public_key import public_key
from scanner.collect.host.ssh_keys_script import FIND_LOGIN, FIND_PRIVATE, FIND_TRUST, SCRIPT, UNLOCKED
from scanner.collect.host.sshd_script import STRANGER

PRIVILEGES = tuple(f"/usr/bin/{one}" for one in (FIND_TRUST, FIND_LOGIN, FIND_PRIVATE))
_SETTINGS = f"/usr/sbin/sshd -T -f /etc/ssh/sshd_config -C {as_sudoers(STRANGER)}"
_NEEDS = "sudo: " + "; ".join(PRIVILEGES)
_WHOLE = "a login as root"
_REACHED = re.compile(r"(/home/[^/]+|/root)/\.ssh/authorized_keys2?")
"""The files that the searches of sudo find."""
_HOME = re.compile(r"/home/[^/]+|/root")
_PEM = {"RSA": "rsa", "DSA": "dsa", "EC": "ecdsa"}
_NAMES = {
    b"ssh-r": "rsa",
    b"ssh-e": "ed25519",
    b"ssh-d": "dsa",
    b"ecdsa": "ecdsa",
    b"sk-ss": "sk",
    b"sk-ec": "sk",
}
_NAME_AT = 47
"""Where the name of the kind begins in OpenSSH's form of a private key without a passphrase."""
_MOST_GAPS = 40


@dataclass(slots=True)
class _Seen:
    """What the lines told, before it is put together; what is told of paths is by path, with accounts."""

    patterns: list[str] = field(default_factory=list)
    file: dict[str, list[str]] = field(default_factory=dict)
    hidden: dict[str, list[str]] = field(default_factory=dict)
    closed: dict[str, list[str]] = field(default_factory=dict)
    odd: dict[str, list[str]] = field(default_factory=dict)
    trust: dict[str, list[str]] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    stats: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    keys: list[tuple[str, int, str, str, str, str, str]] = field(default_factory=list)
    odd_lines: dict[str, int] = field(default_factory=dict)
    own: dict[str, tuple[str, str]] = field(default_factory=dict)
    heads: dict[str, set[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    host: list[HostKey] = field(default_factory=list)
    searched: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    settings: bool = False
    more: bool = False


def parse(text: str) -> Collected:
    """The keys in an answer; a home that this login may not look into is a gap of its own."""
    seen = _Seen()
    # Not splitlines(): a comment of a user may hold what Python takes for the end of a line.
    for line in text.split("\n"):
        if line.strip():
            _line(line.split("\t"), seen)
    if not seen.patterns:
        raise ParseError("no place of login keys was told")
    facts: list[Fact] = [_authorized(seen), _trust(seen), _private(seen)]
    gaps = [*_login_gaps(seen), *_home_gaps(seen)]
    if seen.more:
        gaps += [
            Gap(type(one).__name__, "only a part was read, for there is too much of it") for one in facts
        ]
    absences: tuple[Absence, ...] = ()
    if seen.host:
        facts.append(HostKeys(tuple(seen.host)))
    else:
        absences = (Absence("HostKeys", "there is no public half of a host key in /etc/ssh"),)
    return Collected(tuple(facts), tuple(gaps), absences)


def _line(row: list[str], seen: _Seen) -> None:
    """Takes in one line; those about paths have the account second."""
    match row:
        case ["file" | "hidden" | "closed" | "odd" | "trust" | "inside" as word, account, path]:
            places: dict[str, list[str]] = getattr(seen, word)
            places.setdefault(path, []).append(account)
        case ["pattern", pattern]:
            seen.patterns.append(pattern)
        case ["unread", file]:
            seen.unread.append(file)
        case ["settings"]:
            seen.settings = True
        case ["more", *_]:
            seen.more = True
        case ["searched", word]:
            seen.searched.add(word)
        case ["linked", path]:
            seen.linked.add(path)
        case ["host", path, kind, blob]:
            seen.host.append(_host_key(path, kind, blob))
        case _:
            _found(row, seen)


def _found(row: list[str], seen: _Seen) -> None:
    """Takes in a line about what is inside of files.

    A path that was not asked for is passed over: users name folders as they like.
    """
    match row:
        case ["stat", mode, owner, changed, path]:
            at = stamp(datetime.fromtimestamp(number(changed, "a time") % 2**34, UTC))
            seen.stats[path] = (_mode(mode), owner, at)
        case ["key", path, at, kind, blob, options, origin, comment]:
            seen.keys.append((path, number(at, "a line"), kind, blob, options, origin, comment))
        case ["odd-line", path, _]:
            seen.odd_lines[path] = seen.odd_lines.get(path, 0) + 1
        case ["own", mode, owner, path]:
            seen.own[path] = (_mode(mode), owner)
        case ["head" | "heads", line]:
            path, _, words = line.partition(":")
            seen.heads.setdefault(path, set()).add(words)
        case ["names", path]:
            seen.names.add(path)
        case _:
            raise ParseError(f"unexpected line {row[0][:40]!r}")


def _mode(text: str) -> str:
    if not re.fullmatch(r"[0-7]{1,4}", text):
        raise ParseError(f"no mode: {text[:20]!r}")
    return text.zfill(4)


def _host_key(path: str, kind: str, blob: str) -> HostKey:
    try:
        return HostKey(path, *public_key(kind, blob))
    except ValueError as error:
        raise ParseError(f"{path}.pub: {error}") from None


def _reached(seen: _Seen, path: str) -> bool:
    """Whether the search of sudo looked at that hidden file."""
    home, _, _ = path.partition("/.ssh/")
    behind_a_link = {home, f"{home}/.ssh", path} & (seen.linked | seen.names)
    return {"login", "names"} <= seen.searched and bool(_REACHED.fullmatch(path)) and not behind_a_link


def _authorized(seen: _Seen) -> AuthorizedKeys:
    reached = {path: who for path, who in seen.hidden.items() if _reached(seen, path)}
    files = {path: who for path, who in seen.file.items() if path in seen.stats}
    keys: list[AuthorizedKey] = []
    for path, at, kind, blob, options, origin, comment in seen.keys:
        try:
            key = public_key(kind, blob)
        except ValueError:
            seen.odd_lines[path] = seen.odd_lines.get(path, 0) + 1
            continue
        names = tuple(one for one in options.split(",") if one)
        for account in files.get(path) or reached.get(path) or ():
            keys.append(AuthorizedKey(account, path, at, *key, comment, names, origin))
    told = {path for path, *_ in seen.keys}
    return AuthorizedKeys(
        tuple(keys),
        (
            *(KeyFile(path, tuple(who), *seen.stats[path]) for path, who in files.items()),
            *(KeyFile(path, tuple(who)) for path, who in reached.items() if path in told),
        ),
        tuple(seen.patterns),
    )


def _trust(seen: _Seen) -> TrustFiles:
    found = [TrustFile(accounts[0], path) for path, accounts in seen.trust.items()]
    for home, accounts in seen.closed.items():
        found += [
            TrustFile(accounts[0], f"{home}/{name}")
            for name in (".rhosts", ".shosts")
            if f"{home}/{name}" in seen.names
        ]
    return TrustFiles(tuple(dict.fromkeys(found)))


def _private(seen: _Seen) -> PrivateKeys:
    keys = [
        PrivateKey(accounts[0], path, *_head(seen.heads[path]), *seen.own[path])
        for path, accounts in seen.inside.items()
        if path in seen.heads and path in seen.own
    ]
    by_name = False
    for closed, accounts in seen.closed.items():
        if not _searched(seen, closed):
            continue
        by_name = True
        folder = closed if closed.endswith("/.ssh") else f"{closed}/.ssh"
        keys += [
            PrivateKey(accounts[0], path, *_head(words))
            for path, words in seen.heads.items()
            if path.rpartition("/")[0] == folder
        ]
    return PrivateKeys(tuple(keys), by_name)


def _head(words: set[str]) -> tuple[str, bool]:
    """The kind of a private key and whether a passphrase guards it, from the words in its head."""
    whole = "\n".join(words)
    kind = next((kind for word, kind in _PEM.items() if f"BEGIN {word} PRIVATE KEY" in whole), "")
    if "OPENSSH" in whole:
        head = max((one for one in words if one.startswith(UNLOCKED)), key=len, default="")
        return _kind(head), not head
    if "PuTTY" in whole:
        return kind, "Encryption: none" not in words
    return kind, "ENCRYPTED" in whole


def _kind(head: str) -> str:
    try:
        data = base64.b64decode(head + "=" * (-len(head) % 4))
    except binascii.Error:
        return ""
    return _NAMES.get(data[_NAME_AT : _NAME_AT + 5], "")


def _searched(seen: _Seen, closed: str) -> bool:
    """Whether sudo searched what is closed to this login for private keys and .rhosts."""
    home = closed.removesuffix("/.ssh")
    links = {home, f"{home}/.ssh"} & (seen.linked | seen.names)
    return {"heads", "names"} <= seen.searched and bool(_HOME.fullmatch(home)) and not links


def _login_gaps(seen: _Seen) -> list[Gap]:
    gaps: list[Gap] = []
    if seen.unread and not seen.settings:
        reason = f"{', '.join(seen.unread)} may not be read: keys may stand elsewhere than by default"
        gaps.append(Gap("AuthorizedKeys", reason, where="AuthorizedKeysFile", needs=f"sudo: {_SETTINGS}"))
    hidden = {path: who for path, who in seen.hidden.items() if not _reached(seen, path)}
    gaps += _of_paths("AuthorizedKeys", hidden, "this login may not read it", _REACHED.fullmatch)
    for path in seen.odd:
        gaps.append(Gap("AuthorizedKeys", "it is no ordinary file, or holds names that cannot be told", path))
    for path in seen.file:
        if path not in seen.stats:
            gaps.append(Gap("AuthorizedKeys", "it is larger than 1 MiB, or was not there any more", path))
    for path, count in seen.odd_lines.items():
        gaps.append(Gap("AuthorizedKeys", f"{count} of its lines have another form", where=path))
    return gaps


def _home_gaps(seen: _Seen) -> list[Gap]:
    closed = {path: who for path, who in seen.closed.items() if not _searched(seen, path)}
    homes = {path: who for path, who in closed.items() if not path.endswith("/.ssh") and "/.ssh/" not in path}
    reason = "this login may not look into it"
    gaps = _of_paths("PrivateKeys", closed, reason, lambda path: _HOME.fullmatch(path.removesuffix("/.ssh")))
    return gaps + _of_paths("TrustFiles", homes, reason, _HOME.fullmatch)


def _of_paths(
    fact: str, paths: dict[str, list[str]], reason: str, reachable: Callable[[str], object]
) -> list[Gap]:
    """One gap for each path, and one for what is left where there are very many."""
    first, rest = list(paths)[:_MOST_GAPS], list(paths)[_MOST_GAPS:]
    gaps = [Gap(fact, reason, where=path, needs=_NEEDS if reachable(path) else _WHOLE) for path in first]
    if rest:
        gaps.append(Gap(fact, reason, where=f"{len(rest)} more, such as {rest[0]}", needs=_NEEDS))
    return gaps


PROBE = Probe(
    "ssh-keys",
    (AuthorizedKeys, TrustFiles, PrivateKeys, HostKeys),
    SCRIPT,
    parse,
    how="authorized_keys, .rhosts and the heads of private keys in all homes; /etc/ssh/ssh_host_*_key.pub",
    privileges=(*PRIVILEGES, _SETTINGS),
    limit=2_097_152,
)
