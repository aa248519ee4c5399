"""Data stores of a host: where they listen, and whether they ask who is there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.check import check
from checks.facts.host.databases import MongoDb, MySql, Redis, SearchEngine
from checks.facts.host.packages import Packages
from checks.fix import Disruption, Effort, Fix
from checks.host.fixes import setting
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown

EVERYWHERE = frozenset({"*", "0.0.0.0", "::", "[::]"})  # noqa: S104 - read, not bound
"""How configurations write that a server listens on all addresses."""
_REDIS_PROTECTS_NAMED = 7
"""The first Redis whose protected mode also holds where the configuration names addresses."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "_local_", "[::1]", "loopback"})


def _beyond(addresses: Iterable[str]) -> list[str]:
    """Those addresses that others than the machine itself reach."""
    return [one for one in addresses if one not in _LOCAL and not one.startswith("127.")]


@check(
    "host.databases.mysql-address",
    title="MySQL listens on named addresses only",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Bind MySQL to the addresses that need it",
        do="Set `bind-address` in the section [mysqld] of @{file} to 127.0.0.1, or to the address of "
        "the network "
        "that its clients are in, and restart the server. Which address that is a person has to say.",
        verify="ss -Hlnt sport = :3306   # 127.0.0.1 or an inner address",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Set the former address back and restart the server.",
        key="store-address:3306",
    ),
)
def mysql_address(found: MySql, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Databases that listen everywhere are found by scanners within hours, and guessed at until one opens."""
    yield expect(
        found.local_only or bool(found.bind and (found.bind not in EVERYWHERE or found.bind in allowed)),
        on="bind-address",
        saw="no network" if found.local_only else found.bind or "not set: all addresses",
        want="127.0.0.1 or a named address",
        port="tcp/3306",
        values={"file": found.file},
    )


@check(
    "host.databases.mysql-logins",
    title="MySQL checks logins",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Make MySQL check logins again",
        do="Take `skip-grant-tables` out of the option files of MySQL and restart the server. It is "
        "set when a "
        "password was lost: find out whether the accounts are known again before, so a person does it.",
        verify="grep -rn skip-grant-tables /etc/mysql /etc/my.cnf /etc/my.cnf.d   # nothing",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the line back and restart the server.",
    ),
)
def mysql_logins(found: MySql) -> Verdicts:
    """With this option everybody who reaches the server is its administrator, without any password."""
    yield expect(
        not found.no_logins,
        on="skip-grant-tables",
        saw="set" if found.no_logins else "not set",
        want="not set",
        port="tcp/3306",
    )


@check(
    "host.databases.redis-password",
    title="Redis asks for a password, or serves only the host itself",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    weakness=Weakness.ADMIN_PORT_NO_PASSWORD,
    fix=Fix(
        action="Close Redis to those without a password",
        do="Let Redis listen on loopback (`bind 127.0.0.1 -::1` in @{file}); where others need it, "
        "set a long "
        "`requirepass` or users with ACLs, and bind it to their network. Then restart it.",
        verify="grep -nE '^(bind|protected-mode)' @{file}   # bind 127.0.0.1 -::1",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the former line back, which stands in the file as a comment, and restart.",
        snippets=setting("@{file}", after="systemctl try-restart redis-server redis 2>/dev/null || true"),
        key="redis:@{file}",
    ),
    refs=("https://redis.io/docs/latest/operate/oss_and_stack/management/security/",),
)
def redis_password(found: Redis, packages: Packages) -> Verdicts:
    """An open Redis writes files where an attacker wants them: it is turned into a login within minutes."""
    named = _protects_named_addresses(packages)
    for server in found.servers:
        beyond = _beyond(server.bind)
        address = ", ".join(server.bind) or "all addresses"
        # Without a bind line the protected mode of every version refuses everybody else.
        asked = bool(beyond) and server.protected and not server.password
        if asked and named is None:
            reason = f"the protected mode guards {address} from version 7 on, and the version is not known"
            yield unknown(server.file, reason, port=f"tcp/{server.port}")
            continue
        guarded = server.password or (server.protected and (not beyond or bool(named)))
        open_one = not guarded and (bool(beyond) or not server.bind)
        yield expect(
            not open_one,
            on=server.file,
            saw=f"{'a' if server.password else 'no'} password, on {address}, protected mode "
            f"{'on' if server.protected else 'off'}",
            want="a password, the protected mode, or loopback only",
            port=f"tcp/{server.port}",
            values={"key": "bind", "good": "127.0.0.1 -::1", "file": server.file},
            cite="bind",
        )


def _protects_named_addresses(packages: Packages) -> bool | None:
    """Whether the protected mode still guards where a `bind` line names addresses; None if not known."""
    if any(one.name.startswith("valkey") for one in packages.packages):
        return True
    versions = [one.version for one in packages.packages if re.fullmatch(r"redis\d*(-server)?", one.name)]
    majors = [int(found[1]) for version in versions if (found := re.match(r"(?:\d+:)?(\d+)\.", version))]
    return min(majors) >= _REDIS_PROTECTS_NAMED if majors else None


@check(
    "host.databases.mongodb-logins",
    title="MongoDB asks who is there",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Switch on the logins of MongoDB",
        do="Make an administrator in MongoDB first, then set `authorization: enabled` under "
        "`security` in @{file} "
        "and restart it. Without that account nobody could log in any more, so a person does it.",
        verify="grep -n authorization @{file}   # authorization: enabled",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Take the line out and restart the server.",
    ),
)
def mongodb_logins(found: MongoDb) -> Verdicts:
    """Databases without logins are copied, deleted and held for ransom by programs that do nothing else."""
    local = not _beyond(one.strip() for one in found.bind.split(","))
    yield expect(
        found.authorization,
        on=found.file,
        saw=f"{'logins' if found.authorization else 'no logins'}, on {found.bind}",
        want="authorization enabled",
        port="tcp/27017",
        severity=Severity.MEDIUM if local else None,
        values={"file": found.file},
        cite="authorization",
    )


@check(
    "host.databases.search-logins",
    title="Search engines ask who is there, or serve only the host itself",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Close search engines to those without a login",
        do="Switch the security of @{product} on in @{file}, make its users, and let it listen on the "
        "network of "
        "its clients only; then restart it. All its clients need logins then, so a person does it.",
        verify="curl -s http://localhost:9200   # an error that asks for a login",
        effort=Effort(setup=2, each=1),
        disruption=Disruption.RESTART,
        undo="Set the former values back and restart.",
    ),
)
def search_logins(found: SearchEngine, packages: Packages) -> Verdicts:
    """Open search engines are indexed by others: their data is on sale before anybody misses it."""
    beyond = _beyond(found.hosts)
    security = found.security or _default_security(found.product, packages)
    where = ", ".join(found.hosts) or "loopback"
    if beyond and not security:
        yield unknown(found.file, f"listens on {where}; whether its version demands logins is not known")
        return
    yield expect(
        not beyond or security == "on",
        on=found.file,
        saw=f"security {security or 'not set'}, on {where}",
        want="security on, or loopback only",
        port="tcp/9200",
        values={"file": found.file, "product": found.product},
        cite="host",
    )


def _default_security(product: str, packages: Packages) -> str:
    if product == "opensearch":
        return "on"
    versions = [one.version for one in packages.packages if one.name == "elasticsearch"]
    majors = [int(found[1]) for version in versions if (found := re.match(r"(?:\d+:)?(\d+)\.", version))]
    # From version 8 on it is on where no line says otherwise.
    return "" if not majors else "on" if max(majors) >= 8 else "off"
