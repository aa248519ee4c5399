"""What people write to name a target, read by form and without asking anybody.

`10.0.0.0/24`, `10.0.0.5`, `2001:db8::/120` and `net:office` are networks; `ssh://user@host:22` and
`user@host` are hosts; `local` is this machine; `aws` and `aws://prod/eu-central-1` are cloud accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from baselines.text import TextError
from checks.fix import printable
from scanner.addresses import Network, count, never, parse_network, text_of
from scanner.names import ORGANIZATION, host_name, port_number, punycode, region_name, shown

ADDRESS_LIMIT = 65_536
"""How many addresses one target may have unless a scope file allows more."""

FILE_BYTES = 4 * 1024 * 1024
SHOWN_LINES = 20
_LONGEST = 300

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_FOREIGN = re.compile(r"[^A-Za-z0-9._:/@%,\[\]+-]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_FORMS = "write 10.0.0.0/24, net:NAME, user@host, ssh://user@host:22, local or aws://PROFILE/REGION"


class TargetError(TextError):
    """A word is no target, or one that may never be scanned; says what to write. One line a word."""


@dataclass(frozen=True, slots=True)
class NetworkTarget:
    """A network, or one address as the network of itself."""

    network: Network

    @property
    def spec(self) -> str:
        """`net:10.0.0.0/24` or `net:10.0.0.5`."""
        return f"net:{text_of(self.network)}"


@dataclass(frozen=True, slots=True)
class NamedNetwork:
    """A network by the name that the scope gives it."""

    name: str

    @property
    def spec(self) -> str:
        """`net:office`."""
        return f"net:{self.name}"


@dataclass(frozen=True, slots=True)
class HostTarget:
    """A host over SSH. `user` is empty where the scope or the SSH configuration decides."""

    host: str
    port: int = 22
    user: str = ""

    @property
    def spec(self) -> str:
        """`ssh://user@host:22`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{self.user + '@' if self.user else ''}{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """This machine."""

    @property
    def spec(self) -> str:
        """`local`."""
        return "local"


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """A cloud account by profile or by number, or all accounts of an organization by its id.

    No regions means all that are enabled.
    """

    profile: str = ""
    account: str = ""
    regions: tuple[str, ...] = ()
    organization: str = ""

    @property
    def spec(self) -> str:
        """`aws`, `aws://prod`, `aws://123456789012/eu-central-1,eu-west-1`, `aws://o-a1b2c3d4e5`."""
        who = self.organization or self.profile or self.account
        path = f"/{','.join(self.regions)}" if self.regions else ""
        return f"aws://{who}{path}" if who or path else "aws"


AnyTarget = NetworkTarget | NamedNetwork | HostTarget | LocalTarget | AwsTarget


def parse_target(word: str, *, limit: int = ADDRESS_LIMIT) -> AnyTarget:
    """The target that a word names; `limit` is the number of addresses that a network may have.

    Raises:
        TargetError: no target, or one that is never scanned, with the mend; a password is not repeated.

    """
    try:
        return _parse(word, limit)
    except ValueError as error:
        raise TargetError(f"{shown(word)}: {error}") from None


def parse_targets(words: Iterable[str], *, limit: int = ADDRESS_LIMIT) -> tuple[AnyTarget, ...]:
    """The targets that the words name, in order.

    Raises:
        TargetError: the bad words, the first 20 of them, one line each.

    """
    return _all((("", word) for word in words), limit)


def parse_target_file(data: bytes, name: str, *, limit: int = ADDRESS_LIMIT) -> tuple[AnyTarget, ...]:
    """The targets of a list: one a line, `#` begins a comment. `name` is how messages call the file.

    Raises:
        TargetError: not UTF-8 text, too large, empty, or the first 20 bad lines with their numbers.

    """
    if len(data) > FILE_BYTES:
        raise TargetError(f"{printable(name)}:1: the list has {len(data):,} bytes; {FILE_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TargetError(f"{printable(name)}:{line}: not UTF-8 text; save the file as UTF-8") from None
    # Not splitlines(): that breaks at characters which do not end a line for an editor.
    lines = (
        (number, line.partition("#")[0].strip(" \t\r")) for number, line in enumerate(text.split("\n"), 1)
    )
    found = _all(((f"{printable(name)}:{number}: ", word) for number, word in lines if word), limit)
    if not found:
        raise TargetError(f"{printable(name)}:1: the list names no target")
    return found


def merge_targets(targets: Iterable[AnyTarget]) -> tuple[tuple[AnyTarget, ...], tuple[str, ...]]:
    """The targets without repetition and without networks inside others, and a note for each one dropped."""
    kept: dict[str, AnyTarget] = {}
    notes: list[str] = []
    for target in targets:
        if target.spec in kept:
            notes.append(f"{target.spec} is named twice; it is scanned once")
        kept.setdefault(target.spec, target)
    networks = [t for t in kept.values() if isinstance(t, NetworkTarget)]
    # Networks nest or are disjoint: sorted by start and size, the last one kept is the only candidate.
    outer: NetworkTarget | None = None
    for target in sorted(networks, key=lambda t: (t.network.version, int(t.network[0]), t.network.prefixlen)):
        if (
            outer
            and outer.network.version == target.network.version
            and int(target.network[-1]) <= int(outer.network[-1])
        ):
            notes.append(f"{target.spec} lies in {outer.spec}; it is scanned once")
            del kept[target.spec]
        else:
            outer = target
    return tuple(kept.values()), tuple(dict.fromkeys(notes))


def _all(words: Iterable[tuple[str, str]], limit: int) -> tuple[AnyTarget, ...]:
    found: list[AnyTarget] = []
    bad: list[str] = []
    for place, word in words:
        try:
            found.append(parse_target(word, limit=limit))
        except TargetError as error:
            bad.append(f"{place}{error}")
    if bad:
        more = [f"and {len(bad) - SHOWN_LINES:,} more"] if len(bad) > SHOWN_LINES else []
        raise TargetError("\n".join([*bad[:SHOWN_LINES], *more]))
    return tuple(found)


def _parse(word: str, limit: int) -> AnyTarget:
    _refuse_strange(word)
    if word == "local":
        return LocalTarget()
    if word == "aws":
        return AwsTarget()
    if scheme := _SCHEME.fullmatch(word):
        return _url(scheme[1].lower(), scheme[2])
    if word.startswith("net:"):
        return _network(word.removeprefix("net:"), limit)
    if "@" in word:
        return _login(word)
    if word.lower() in ("local", "localhost", "aws", "aws:"):
        right = "aws" if word.lower().startswith("aws") else "local"
        more = ", or 127.0.0.1 for its ports" if right == "local" else ""
        raise ValueError(f"write {right}{more}")
    if re.fullmatch(
        r"[0-9a-fA-F]*[:.][0-9a-fA-F:.]*(%.*)?(/.*)?|[0-9]+(/.*)?|[0-9.]+-[0-9.]+|[0-9a-fA-F:]+-[0-9a-fA-F:]+",
        word,
    ):
        return _network(word, limit)
    raise ValueError(f"it names no target; {_hint(word)}")


def _refuse_strange(word: str) -> None:
    if not word.strip():
        raise ValueError(f"a target may not be empty; {_FORMS}")
    if len(word) > _LONGEST:
        raise ValueError(f"a target has at most {_LONGEST} characters, not {len(word):,}")
    if word.startswith("-"):
        raise ValueError("it looks like an option; no target begins with a hyphen")
    if not word.isascii():
        raise ValueError(f"only ASCII letters; {_homograph(word)}")
    if strange := _FOREIGN.search(word):
        raise ValueError(f"{strange[0]!r} is in no target; {_FORMS}")


def _url(scheme: str, rest: str) -> AnyTarget:
    if scheme == "ssh":
        return _login(rest)
    if scheme == "aws":
        return _aws(rest)
    host = rest.partition("/")[0].rpartition("@")[2] or "host"
    raise ValueError(
        f"a {scheme} address is no target; write user@{host} to log in, or its IP address for its ports"
    )


def _network(text: str, limit: int) -> NetworkTarget | NamedNetwork:
    if _NAME.fullmatch(text):
        return NamedNetwork(text)
    network = parse_network(text)
    if network.prefixlen == 0:
        raise ValueError("the whole internet is no target; write a network of your own")
    if reason := never(network):
        raise ValueError(f"never a target: {reason}")
    if network.num_addresses > limit:
        raise ValueError(
            f"{count(network)} addresses are more than the {limit:,} allowed; "
            "write smaller networks, or raise limits.addresses in the scope file"
        )
    return NetworkTarget(network)


def _login(text: str) -> HostTarget:
    user, at, place = text.rpartition("@")
    if ":" in user:
        raise ValueError("a password is never written on the command line; name a key with --ssh-key")
    if at and not _USER.fullmatch(user):
        raise ValueError(
            "before the @ stands one user name of letters, digits, dots, hyphens and underscores"
        )
    if "/" in place:
        raise ValueError("nothing follows the host but its port")
    host, port = _split_port(place)
    return HostTarget(host_name(host), port, user)


def _split_port(place: str) -> tuple[str, int]:
    if place.startswith("["):
        host, closed, rest = place[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError("an IPv6 address stands in brackets, as in [2001:db8::1]:22")
        return f"[{host}]", port_number(rest[1:]) if rest else 22
    if place.count(":") > 1:
        raise ValueError(f"an IPv6 address stands in brackets; write [{place}]")
    host, colon, port = place.partition(":")
    return host, port_number(port) if colon else 22


def _aws(rest: str) -> AwsTarget:
    who, slash, written = rest.partition("/")
    if not who:
        raise ValueError("write aws for the default account, or aws://PROFILE")
    if who.isdigit() and not _ACCOUNT.fullmatch(who):
        raise ValueError(f"the number of an account has 12 digits, not {len(who)}")
    if not _PROFILE.fullmatch(who):
        raise ValueError("a profile has letters, digits, dots, hyphens and underscores")
    if slash and not written:
        raise ValueError("a region is missing after the slash; leave the slash out for all regions")
    regions = tuple(sorted({region_name(r) for r in written.split(",")})) if slash else ()
    if ORGANIZATION.fullmatch(who):
        return AwsTarget(regions=regions, organization=who)
    return AwsTarget("", who, regions) if _ACCOUNT.fullmatch(who) else AwsTarget(who, "", regions)


def _hint(word: str) -> str:
    words = ("local", "aws", "net", "ssh")
    if close := get_close_matches(word.lower(), words, n=1, cutoff=0.7):
        return f"did you mean {close[0]}?"
    if _NAME.fullmatch(word):
        return f"write user@{word} for a host, or net:{word} for a network of the scope file"
    return _FORMS


def _homograph(word: str) -> str:
    scheme, found, place = word.rpartition("://")
    user, at, host = place.rpartition("@")
    ascii_form = punycode(host)
    if not (found or at) or not (scheme + user).isascii() or not ascii_form.isprintable():
        return _FORMS
    return f"write the name as {scheme}{found}{user}{at}{ascii_form}"
