"""PostgreSQL: whom it lets in how, and where it listens."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.databases import HbaLine, PostgreSql
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.databases import EVERYWHERE
from checks.host.fixes import setting
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_TRUST_MARK = "#before trust: "
_LOOPBACK = frozenset(
    {"127.0.0.1/32", "127.0.0.0/8", "::1/128", "localhost", "127.0.0.1/255.255.255.255", "samehost"}
)


@check(
    "host.postgresql.trust",
    title="PostgreSQL lets nobody in without asking",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Demand passwords from those who come to PostgreSQL",
        do="Replace `trust` by `scram-sha-256` (`peer` for local lines) in @{file} and reload the "
        "server; give "
        "the accounts that are used passwords first, or their programs can no longer log in.",
        verify="grep -nE '[[:space:]]trust([[:space:]]|$)' @{file}   # only comments",
        effort=Effort(setup=0.5, each=0.25),
        undo="Put the former lines back, which stand beside the new ones as comments, and reload.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=@{file}\n"
                'sed -i -e "/^[[:space:]]*host.*[[:space:]]trust\\([[:space:]].*\\)\\{0,1\\}\\$/'
                f'{{h;s/^/{_TRUST_MARK}/;p;g;s/\\(.*[[:space:]]\\)trust/\\1scram-sha-256/}}" '
                '-e "/^[[:space:]]*local.*[[:space:]]trust\\([[:space:]].*\\)\\{0,1\\}\\$/'
                f'{{h;s/^/{_TRUST_MARK}/;p;g;s/\\(.*[[:space:]]\\)trust/\\1peer/}}" "$file"\n'
                "systemctl reload postgresql >/dev/null 2>&1 || true",
                "file=@{file}\n"
                f'sed -i "/^{_TRUST_MARK}/{{s/^{_TRUST_MARK}//;n;d}}" "$file"\n'
                "systemctl reload postgresql >/dev/null 2>&1 || true",
            ),
        ),
        key="postgresql:trust:@{file}",
    ),
)
def trust(found: PostgreSql) -> Verdicts:
    """Trust means that whoever names an account is that account, the database's administrator too."""
    bad = [one for one in found.access if one.method == "trust"]
    for one in bad:
        yield expect(
            False,
            on=_line(one),
            saw="trust",
            want="scram-sha-256, or peer for local connections",
            port="tcp/5432",
            severity=_trust_severity(one),
            values={"file": one.file},
            cite="trust",
        )
    for file in dict.fromkeys(one.file for one in found.access if one.file not in {b.file for b in bad}):
        yield expect(True, on=file, saw="no line with trust", want="no line with trust")


def _line(one: HbaLine) -> str:
    return (
        " ".join(part for part in (one.kind, one.database, one.user, one.address) if part) + f" in {one.file}"
    )


def _trust_severity(one: HbaLine) -> Severity | None:
    local = one.kind == "local" or one.address in _LOOPBACK
    return Severity.HIGH if local else None


@check(
    "host.postgresql.cleartext",
    title="PostgreSQL takes no passwords in the clear",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Use SCRAM for the passwords of PostgreSQL",
        do="Replace `password` by `scram-sha-256` in @{file} and reload the server; passwords that "
        "are kept as "
        "MD5 have to be set anew first, so a person does it.",
        verify="grep -nwE 'password|md5' @{file}   # only comments",
        effort=Effort(setup=1, each=0.25),
        undo="Put the former method back and reload the server.",
        key="postgresql:cleartext:@{file}",
    ),
)
def cleartext(found: PostgreSql) -> Verdicts:
    """A password that crosses the network readable, or as an MD5 hash, is soon known to those on the way."""
    network = [one for one in found.access if one.kind != "local" and one.address not in _LOOPBACK]
    weak = [one for one in network if one.method in ("password", "md5", "ident")]
    for one in weak:
        # An MD5 exchange can be guessed at, a plain password is simply read.
        severity = Severity.LOW if one.method == "md5" or one.kind == "hostssl" else None
        yield expect(
            False,
            on=_line(one),
            saw=one.method,
            want="scram-sha-256",
            port="tcp/5432",
            severity=severity,
            values={"file": one.file},
            cite=one.method,
        )
    if not weak:
        yield expect(True, on="pg_hba.conf", saw="no weak method", want="scram-sha-256")


@check(
    "host.postgresql.address",
    title="PostgreSQL listens on named addresses only",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Bind PostgreSQL to the addresses that need it",
        do="Set `listen_addresses` in @{file} to localhost, or to the address of the network that its "
        "clients are "
        "in, and restart the server.",
        verify="ss -Hlnt sport = :5432   # 127.0.0.1, [::1] or an inner address",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the former line back, which stands in the file as a comment, and restart.",
        snippets=setting(
            "@{file}", between=" = ", after="systemctl try-restart postgresql 2>/dev/null || true"
        ),
        key="store-address:5432",
    ),
)
def address(found: PostgreSql, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Databases that listen everywhere are found by scanners within hours, and guessed at until one opens."""
    for file, value in found.listens:
        wide = [one for one in re.split(r"[,\s]+", value) if one in EVERYWHERE and one not in allowed]
        yield expect(
            not wide,
            on=file,
            saw=value or "no network",
            want="localhost or named addresses",
            port="tcp/5432",
            values={"key": "listen_addresses", "good": "'localhost'", "file": file},
            cite="listen_addresses",
        )
