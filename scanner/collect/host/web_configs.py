"""The sites of nginx and Apache, and the rules of Squid, from their configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from checks.facts.host.web import ProxyAccess, ProxyRule, WebListing, WebServers, WebSite
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.configs import Files, taken_in

_NGINX_MAIN = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")
_APACHE_MAIN = ("/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf")
_NO_SETTINGS = re.compile(
    r"mime\.types$|/modules(-enabled|\.d)?/|\.load$|/magic$|^modules/|/mods-enabled/\*\.load"
)
"""Files that only load modules or name types."""
_ALL = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_EVERYBODY = frozenset({"all", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "::/0", "0/0"})
_WHOEVER = frozenset({"port", "method", "proto", "time"})
"""The kinds of Squid's lists that say nothing about the sender or the place asked for."""
_DEPTH = 8
_STEPS = 50_000


@dataclass(slots=True)
class _Read:
    sites: list[WebSite] = field(default_factory=list)
    listings: list[WebListing] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    steps: int = 0

    def gap(self, reason: str, where: str) -> None:
        self.gaps.append(Gap(WebServers.__name__, reason, where=where))


@dataclass(slots=True)
class _Block:
    """An open block: its word, the file and the line's number in the reading, and what is set in it."""

    word: str
    file: str
    values: dict[str, str] = field(default_factory=dict)
    inner: list[_Block] = field(default_factory=list)


def sites(files: Files) -> Collected:
    """The `WebServers` in these files; what cannot be followed is a gap."""
    read = _Read()
    for kind, mains, reader in (("nginx", _NGINX_MAIN, _nginx), ("apache", _APACHE_MAIN, _apache)):
        here = files.get(kind, {})
        main = next((file for file in mains if file in here), "")
        if main:
            reader(main, here, read)
        elif any(here.values()):
            read.gap(f"the main file of {kind} is not where it is looked for", next(iter(here)))
    unique = tuple(dict.fromkeys(read.gaps))
    if not read.sites and not read.listings:
        reason = "no nginx or Apache has a site here"
        return Collected(gaps=unique, absences=() if unique else (Absence(WebServers.__name__, reason),))
    return Collected((WebServers(tuple(read.sites), tuple(dict.fromkeys(read.listings))),), unique)


def _statements(
    file: str, files: Mapping[str, list[str]], read: _Read, word: str, depth: int = 0
) -> Iterator[tuple[str, str]]:
    """(file, statement) of a file and of those that it takes in, in place."""
    folder = "/etc/httpd" if file.startswith("/etc/httpd/") else file[: file.rindex("/")]
    folder = next(
        (
            one
            for one in ("/etc/nginx", "/etc/apache2", "/usr/local/nginx/conf")
            if file.startswith(f"{one}/")
        ),
        folder,
    )
    for line in files[file]:
        read.steps += 1
        if read.steps > _STEPS or depth > _DEPTH:
            read.gap("the configuration takes in too much to be followed", file)
            return
        name, _, value = line.partition(" ")
        if not re.fullmatch(word, name, re.IGNORECASE):
            yield file, line
            continue
        pattern = value.strip("\"' ")
        inner = taken_in(pattern, folder, files)
        for one in inner:
            yield from _statements(one, files, read, word, depth + 1)
        if not inner and _may_hold_more(pattern, folder, name):
            read.gap(f"{pattern} is taken in from there, unread", file)


def _may_hold_more(pattern: str, folder: str, word: str) -> bool:
    """Whether an include that found nothing may mean files that were not looked at."""
    if _NO_SETTINGS.search(pattern):
        return False
    inside = not pattern.startswith("/") or pattern.startswith(f"{folder}/")
    return not inside or not ("*" in pattern or word.lower() == "includeoptional")


def _nginx(main: str, files: Mapping[str, list[str]], read: _Read) -> None:
    root = _Block("", main)
    stack = [root]
    for file, statement in _statements(main, files, read, "include"):
        name, _, value = statement.partition(" ")
        if name == "{":
            stack[-1].inner.append(_Block(value, file))
            stack.append(stack[-1].inner[-1])
        elif statement == "}" and len(stack) > 1:
            stack.pop()
        elif statement in ("}", "unended"):
            read.gap("the blocks of the configuration do not fit together", file)
            return
        else:
            _nginx_value(stack[-1].values, name, value)
    if len(stack) > 1:
        read.gap("the blocks of the configuration do not fit together", main)
        return
    for outer in root.inner:
        for block in outer.inner if outer.word in ("http", "stream", "mail") else ():
            if block.word == "server":
                _nginx_site(outer, block, read)
        if outer.word == "http" and outer.values.get("autoindex") == "on":
            read.listings.append(WebListing("nginx", outer.file, "http"))


def _nginx_value(values: dict[str, str], name: str, value: str) -> None:
    if name == "listen":
        speaks = {"ssl", "quic"} & set(value.split())
        values["tls"] = "on" if speaks else values.get("tls", "")
    else:
        values["tls" if name == "ssl" else name] = value


def _nginx_site(outer: _Block, block: _Block, read: _Read) -> None:
    name = block.values.get("server_name", "").split(" ")[0] or "without a name"
    protocols = block.values.get("ssl_protocols", outer.values.get("ssl_protocols", ""))
    tokens = block.values.get("server_tokens", outer.values.get("server_tokens", ""))
    read.sites.append(
        WebSite(
            "nginx",
            block.file,
            f"server {name}",
            block.values.get("tls", "") == "on",
            tuple(protocols.split()),
            tokens if outer.word == "http" else "off",
        )
    )
    todo = [block]
    while todo:
        one = todo.pop()
        todo += one.inner
        if one.values.get("autoindex") == "on":
            read.listings.append(WebListing("nginx", one.file, f"server {name}"))


def _apache(main: str, files: Mapping[str, list[str]], read: _Read) -> None:
    root = _Block("main server", main)
    hosts: list[_Block] = []
    here, stack = root, ["main server"]
    for file, line in _statements(main, files, read, "include(optional)?"):
        name, _, value = line.partition(" ")
        word = name.lower()
        if word.startswith("</"):
            if len(stack) > 1:
                stack.pop()
            here = root if word.startswith("</virtualhost") else here
        elif word.startswith("<"):
            stack.append(line.strip("<>"))
            if word == "<virtualhost":
                here = _Block(line.strip("<>"), file)
                hosts.append(here)
        elif word == "options":
            if re.search(r"(^|\s)\+?(Indexes|All)\b", value, re.IGNORECASE):
                read.listings.append(WebListing("apache", file, stack[-1]))
        elif word == "servername":
            here.values.setdefault(word, value)
        else:
            here.values[word] = value
    tokens = root.values.get("servertokens", "")
    banner = "off" if tokens.lower() in ("prod", "productonly") else tokens
    for block in [root, *hosts]:
        protocols = block.values.get("sslprotocol", root.values.get("sslprotocol", ""))
        engine = block.values.get("sslengine", root.values.get("sslengine", "off")).lower()
        name = block.values.get("servername", "") if block is not root else ""
        place = f"{block.word} {name}".strip()
        allowed = _apache_protocols(protocols)
        read.sites.append(WebSite("apache", block.file, place, engine in ("on", "optional"), allowed, banner))


def _apache_protocols(value: str) -> tuple[str, ...]:
    """The versions that an SSLProtocol line leaves; a word without a sign starts anew."""
    known = {name.lower(): name for name in ("SSLv2", "SSLv3", *_ALL)}
    allowed: set[str] = set()
    for word in value.split():
        bare = word.lstrip("+-").lower()
        named = set(_ALL) if bare == "all" else {known.get(bare, word)}
        if word.startswith("-"):
            allowed -= named
        else:
            allowed = (allowed if word.startswith("+") else set()) | named
    return tuple(sorted(allowed))


def proxy(files: Files) -> Collected:
    """The `ProxyAccess` in the files of Squid."""
    rules: list[ProxyRule] = []
    wide, whoever = ["all"], list[str]()
    gaps: list[Gap] = []
    main = "/etc/squid/squid.conf"
    read = _Read()
    here = files["squid"]
    if main not in here:
        return Collected(gaps=(Gap(ProxyAccess.__name__, "squid.conf is not where it is looked for"),))
    for file, line in _statements(main, here, read, "include"):
        words = line.split()
        if words[0].lower() == "http_access" and len(words) > 1:
            rules.append(ProxyRule(file, words[1].lower() == "allow", tuple(words[2:])))
        elif words[0].lower() == "acl" and len(words) > 2 and words[2].lower() in _WHOEVER:
            whoever.append(words[1])
        elif words[0].lower() == "acl" and _EVERYBODY.intersection(words[3:]):
            wide.append(words[1])
    gaps += [Gap(ProxyAccess.__name__, gap.reason, gap.where) for gap in read.gaps]
    return Collected(
        (ProxyAccess(tuple(rules), *(tuple(dict.fromkeys(one)) for one in (wide, whoever))),), tuple(gaps)
    )
