"""Web servers and proxies of a host: their encryption, what they show, and as whom they work."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.packages import Packages
from checks.facts.host.units import Processes
from checks.facts.host.web import ProxyAccess, WebServers, WebSite
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.web_directives import RELOAD, directive
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_NGINX_WITHOUT_OLD = (1, 27, 3)
"""The first nginx that allows only TLS 1.2 and 1.3 where no line says otherwise."""
_ALL_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_WORKERS = ("nginx", "apache2", "httpd", "lighttpd", "caddy", "php-fpm")


def _on(site: WebSite) -> str:
    return f"{site.place} in {site.file}"


@check(
    "host.web.tls-versions",
    title="Web servers speak TLS 1.2 and newer only",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Allow only TLS 1.2 and 1.3 in web servers",
        do="Set `@{directive} @{good}` in every file of @{server} that sets it otherwise, test the "
        "configuration, and reload. Very old clients can no longer connect.",
        verify="openssl s_client -connect localhost:443 -tls1_1 </dev/null   # no handshake",
        effort=Effort(setup=0.5, each=0.1),
        undo="Put the former lines back, which stand beside the new ones as comments, and reload.",
        snippets=directive(),
        key="web:tls:@{server}",
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc8996",),
)
def tls_versions(
    found: WebServers,
    packages: Packages,
    *,
    allowed: frozenset[str] = frozenset({"TLSv1.2", "TLSv1.3"}),
) -> Verdicts:
    """Sessions under SSL 3 or TLS 1.0 can be broken open, and whoever stands on the way can ask for them."""
    speaking = [site for site in found.sites if site.tls]
    for site in speaking:
        apache = site.server == "apache"
        protocols = site.protocols or (_apache_default(packages) if apache else _default(packages))
        if not protocols:
            why = "the system's crypto policy decides" if apache else "the version of nginx is not known"
            yield unknown(_on(site), f"no line sets the versions, and {why}")
            continue
        bad = [name for name in protocols if name not in allowed]
        broken = any(name.startswith("SSL") for name in bad)
        yield expect(
            not bad,
            on=_on(site),
            saw=protocols if site.protocols else (*protocols, "by default"),
            want=allowed,
            port="tcp/443",
            severity=None if broken else Severity.MEDIUM,
            # The library may refuse what the configuration allows.
            confidence=Confidence.LIKELY,
            values={
                "server": site.server,
                "directive": "ssl_protocols" if site.server == "nginx" else "SSLProtocol",
                "good": "TLSv1.2 TLSv1.3" if site.server == "nginx" else "-all +TLSv1.2 +TLSv1.3",
            },
            cite="sslprotocol" if site.server == "apache" else "ssl_protocols",
        )
    if not speaking:
        yield not_applicable("web sites", "no site of nginx or Apache speaks TLS")


def _apache_default(packages: Packages) -> tuple[str, ...]:
    versions = [one.version for one in packages.packages if one.name == "httpd"]
    by_policy = any(re.search(r"\.(el([89]|\d\d)|fc\d\d|amzn20\d\d)", version) for version in versions)
    return () if by_policy else _ALL_VERSIONS


def _default(packages: Packages) -> tuple[str, ...]:
    versions = [one.version for one in packages.packages if one.name.startswith("nginx")]
    numbers = [re.match(r"(?:\d+:)?(\d+)\.(\d+)\.(\d+)", version) for version in versions]
    known = [tuple(int(part) for part in found.groups()) for found in numbers if found]
    if not known:
        return ()
    new = ("TLSv1.2", "TLSv1.3")
    return new if max(known) >= _NGINX_WITHOUT_OLD else _ALL_VERSIONS


@check(
    "host.web.listing",
    title="Web servers list no folders",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Switch off the listing of folders in web servers",
        do="Take `autoindex on` (nginx) or `Indexes` (Apache) out of @{file}, unless the folder is "
        "meant to be "
        "browsed; test the configuration, and reload.",
        verify="grep -nE 'autoindex +on|Options.*Indexes' @{file}   # nothing",
        effort=Effort(setup=0.25, each=0.1),
        undo="Put the former lines back, which stand beside the new ones as comments, and reload.",
        snippets=(
            Snippet(
                Language.SHELL,
                "server=@{server}\nfile=$(readlink -f @{file})\n"
                "case $server in\n"
                '  nginx) sed -i "s|^\\([[:space:]]*\\)autoindex[[:space:]]*on;\\(.*\\)|#before listing: &\\n'
                '\\1autoindex off;\\2|" "$file"; check=\'nginx -t\' ;;\n'
                '  *) sed -i "/^[[:space:]]*Options[[:space:]].*Indexes/I{h;s/^/#before listing: /;p;g;'
                's/[+-]\\{0,1\\}Indexes//I;s/Options[[:space:]]*\\$/Options None/I}" "$file"\n'
                "    check='apachectl -t' ;;\n"
                "esac\n"
                "if ! $check; then\n"
                '  sed -i "/^#before listing: /{s/^#before listing: //;n;d}" "$file"; exit 1\nfi\n' + RELOAD,
                "server=@{server}\nfile=$(readlink -f @{file})\n"
                'sed -i "/^#before listing: /{s/^#before listing: //;n;d}" "$file"\n' + RELOAD,
            ),
        ),
        key="web:listing:@{file}",
    ),
)
def listing(found: WebServers) -> Verdicts:
    """A listed folder shows backups, archives and old versions that nobody meant to publish."""
    for one in found.listings:
        yield expect(
            False,
            on=f"{one.place} in {one.file}",
            saw="folders are listed",
            want="no listing",
            port="tcp/80",
            confidence=Confidence.LIKELY if one.server == "apache" else Confidence.CONFIRMED,
            values={"server": one.server, "file": one.file},
            cite="autoindex" if one.server == "nginx" else "options",
        )
    if not found.listings:
        yield expect(True, on="web sites", saw="no listing", want="no listing")


@check(
    "host.web.version-hidden",
    title="Web servers do not tell their version",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Hide the versions of web servers",
        do="Set `@{directive} @{good}` in @{server}, test the configuration, and reload.",
        verify="curl -sI http://localhost/ | grep -i '^server'   # no version",
        effort=Effort(setup=0.25, each=0.05),
        undo="Put the former lines back, which stand beside the new ones as comments, and reload.",
        snippets=directive(),
        key="web:version:@{server}",
    ),
)
def version_hidden(found: WebServers) -> Verdicts:
    """The exact version tells a scanner which exploit to try, and puts the host on lists for sale."""
    for server in dict.fromkeys(site.server for site in found.sites):
        telling = [site for site in found.sites if site.server == server and site.banner != "off"]
        shown = sorted({site.banner or "not set" for site in telling})
        yield expect(
            not telling,
            on=server,
            saw=shown or "off",
            want="off" if server == "nginx" else "Prod",
            port="tcp/80",
            values={
                "server": server,
                "directive": "server_tokens" if server == "nginx" else "ServerTokens",
                "good": "off" if server == "nginx" else "Prod",
            },
            cite="server_tokens" if server == "nginx" else "servertokens",
        )


@check(
    "host.web.worker-user",
    title="Web servers do their work as an ordinary user",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Let web servers work as an ordinary user",
        do="Set the user of `@{on}` (`user www-data;` in nginx, `User` in Apache, `user` in the pool "
        "of PHP-FPM) "
        "and give the files that it writes to that user, then restart. Which files those are only those know "
        "who run the sites, so a person does it.",
        verify="ps -o user= -C @{on} | sort -u   # root for the first process, and the user",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Set the former user back and restart.",
    ),
)
def worker_user(found: Processes) -> Verdicts:
    """Whoever gets a web application to run a command has the rights of its worker: root means the host."""
    groups: dict[str, set[int]] = {}
    for one in found.processes:
        if one.program.startswith(_WORKERS):
            groups.setdefault(one.program, set()).add(one.uid)
    for program, uids in groups.items():
        saw = "root only" if uids == {0} else f"user ids {', '.join(str(uid) for uid in sorted(uids))}"
        yield expect(uids != {0}, on=program, saw=saw, want="workers under a user of their own")
    if not groups:
        yield not_applicable("web servers", "no web server runs")


@check(
    "host.web.proxy",
    title="The web proxy serves only those it is meant for",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only known senders use the web proxy",
        do="Replace the rule `@{saw}` in @{file} by one for the networks that the proxy is for, end "
        "the rules "
        "with `http_access deny all`, and reload Squid. Which networks these are a person has to say.",
        verify="squid -k parse 2>&1 | grep http_access   # the last one denies all",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the former rule back and reload Squid.",
    ),
    refs=("https://www.squid-cache.org/Doc/config/http_access/",),
)
def proxy(found: ProxyAccess) -> Verdicts:
    """An open proxy hides attackers behind the host's address, and leads strangers into the inner network."""
    wide = frozenset(found.everybody)
    open_to_all = wide | frozenset(found.whoever)
    for rule in found.rules:
        loose = rule.allow and all(one in open_to_all or one.startswith("!") for one in rule.lists)
        if set(rule.lists) <= wide or loose:
            # What comes after a rule for everybody is never asked.
            yield expect(
                not rule.allow,
                on="http_access",
                saw=f"{'allow' if rule.allow else 'deny'} {' '.join(rule.lists)}",
                want="deny all in the end",
                port="tcp/3128",
                values={"file": rule.file},
            )
            return
    # Squid does the opposite of the last rule for those whom no rule names.
    last = found.rules[-1] if found.rules else None
    yield expect(
        last is None or last.allow,
        on="http_access",
        saw=f"deny {' '.join(last.lists)}, and so all others are let in"
        if last and not last.allow
        else "limited",
        want="deny all in the end",
        port="tcp/3128",
        values={"file": last.file if last else "squid.conf"},
    )
