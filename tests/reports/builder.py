"""A company that does not exist, as facts and findings: what the tests of the reports are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from baselines.evaluate import finding_id
from checks.facts.host.services import Listener, ListeningServices
from checks.facts.host.system import OperatingSystem
from checks.facts.network import NetworkCoverage, OpenPort, OpenPorts
from checks.facts.snapshot import Fact, Snapshot, Source
from checks.fix import Disruption, Effort, Fix, Language, Snippet, fix_key, render_fix
from checks.model import (
    AssetValue,
    Confidence,
    Evidence,
    Exploit,
    Exposure,
    Finding,
    Impact,
    Kind,
    Outcome,
    Severity,
    Surface,
    Target,
    Weakness,
)
from reports.estate import Estate, merge
from reports.model import Coverage, Past, Ranked, ScanInfo, Status, Unreached
from reports.risk import rank

TODAY = date(2026, 11, 23)
AT = "2026-11-23T10:02:00Z"

HOSTILE = (
    "<script>window.bad=1</script>",
    "</script><script>window.bad=1</script>",
    "<img src=x onerror=window.bad=1>",
    '"><svg onload=window.bad=1>',
    "' onmouseover='window.bad=1' x='",
    "{{ 7*7 }}{% for x in y %}",
    "javascript:window.bad=1",
    "<!--<script>",
    "]]></style><script>window.bad=1</script>",
    "a\u202egnp.exe\u200b\ufeff\x00\x1b[31m",
    '=HYPERLINK("http://example.invalid")',
    "<base href=http://example.invalid/><meta http-equiv=refresh content=0;url=http://example.invalid>",
    "&lt;b&gt;&#x3c;script&#x3e;",
    "x" * 400,
)

FIX = Fix(
    do="Set `PermitRootLogin no` in sshd_config on @{target}, then reload sshd.",
    verify="sshd -T | grep -i permitrootlogin   # permitrootlogin no",
    effort=Effort(setup=0.5, each=0.1),
    disruption=Disruption.NONE,
    undo="Put the former line back and reload sshd.",
    snippets=(
        Snippet(
            Language.SHELL,
            "cp -a /etc/ssh/sshd_config /etc/ssh/sshd_config.before\n"
            "printf 'PermitRootLogin no\\n' > /etc/ssh/sshd_config.d/00-root.conf\n"
            "sshd -t && systemctl reload ssh",
            "rm /etc/ssh/sshd_config.d/00-root.conf && systemctl reload ssh",
        ),
    ),
    action="Refuse direct root logins over SSH",
)


def finding(
    *,
    check: str = "host.ssh.root-login",
    title: str = "SSH refuses direct root logins",
    target: str = "web-1",
    asset: str = "machine-id:web-1",
    kind: Kind = Kind.HOST,
    on: str = "PermitRootLogin",
    region: str = "",
    outcome: Outcome = Outcome.FAIL,
    severity: Severity = Severity.HIGH,
    saw: str = "yes",
    want: str = "no",
    reason: str = "",
    needs: str = "",
    impact: Impact = Impact.SERIOUS,
    exploit: Exploit = Exploit.NO_EXPLOIT_NEEDED,
    surface: Surface = Surface.SERVICE,
    weakness: Weakness | None = None,
    port: str = "tcp/22",
    exposure: Exposure | None = None,
    exposure_evidence: str = "",
    fix: Fix = FIX,
    evidence: tuple[Evidence, ...] = (Evidence("sshd -T", AT, "ab" * 32, "permitrootlogin yes"),),
    controls: Mapping[str, tuple[str, ...]] | None = None,
    why: str = "One guessed password owns the host; see `PermitRootLogin`.",
) -> Finding:
    """A finding as `baselines.evaluate` gives it."""
    values = {"on": on, "region": region, "target": target, "saw": saw, "want": want}
    return Finding(
        id=finding_id(asset, check, region, on),
        check=check,
        title=title,
        target=target,
        kind=kind,
        asset=asset,
        on=on,
        region=region,
        outcome=outcome,
        severity=severity,
        saw=saw,
        want=want,
        reason=reason,
        needs=needs,
        evidence=evidence,
        fix=render_fix(fix, values),
        fix_key=fix_key(fix, check, values),
        controls=controls or {"cis-debian-12": ("5.1.20",)},
        baseline="linux-server",
        profile="level-1",
        impact=impact,
        exploit=exploit,
        surface=surface,
        weakness=weakness,
        confidence=Confidence.CONFIRMED,
        port=port,
        exposure=exposure,
        exposure_evidence=exposure_evidence,
        why=why,
    )


def snapshot(
    name: str,
    *facts: Fact,
    kind: Kind = Kind.HOST,
    spec: str = "",
    identities: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
    zone: str = "",
    value: AssetValue = AssetValue.STANDARD,
    owner: str = "",
    sources: tuple[Source, ...] = (),
) -> Snapshot:
    """A snapshot with these facts."""
    target = Target(kind, name, spec or f"ssh://{name}", zone=zone, value=value, owner=owner)
    return Snapshot(
        target=target,
        taken_at=AT,
        identities=identities or (f"machine-id:{name}",),
        addresses=addresses,
        facts={type(fact).__name__: fact for fact in facts},
        sources=sources,
    )


def system(hostname: str, name: str = "Debian GNU/Linux 12 (bookworm)") -> OperatingSystem:
    """An operating system."""
    return OperatingSystem("debian", "12", name, (), "6.1.0-28-amd64", "x86_64", hostname)


def seen(address: str, vantage: str, *ports: int, mode: str = "syn") -> OpenPorts:
    """Open TCP ports of an address."""
    return OpenPorts(address, vantage, mode, 1000, 0, tuple(OpenPort(p, "tcp") for p in ports))


def listening(*sockets: tuple[int, str]) -> ListeningServices:
    """Listening TCP sockets."""
    return ListeningServices(tuple(Listener("tcp", address, port, "") for port, address in sockets))


def company(hosts: int = 12) -> Estate:
    """A web zone that the internet reaches, servers, an office, a cloud account."""
    views: list[Snapshot] = []
    zones = (
        ("dmz", "Web", AssetValue.IMPORTANT),
        ("servers", "Servers", AssetValue.STANDARD),
        ("office", "", AssetValue.LOW),
    )
    for number in range(hosts):
        zone, owner, value = zones[number % 3]
        name, address = f"{zone}-{number:02}", f"10.{number % 3}.0.{number + 1}"
        views.append(
            snapshot(
                name,
                system(name),
                listening((22, "*"), (3306, "127.0.0.1")),
                identities=(f"machine-id:{name}", f"address:{zone}/{address}"),
                addresses=(address,),
                zone=zone,
                owner=owner,
                value=AssetValue.CROWN_JEWEL if number == 1 else value,
            )
        )
        if zone != "office":
            where = "outside" if zone == "dmz" else "inside"
            views.append(
                snapshot(
                    address,
                    seen(address, where, 22, 443, *((3389,) if number == 3 else ())),
                    kind=Kind.NETWORK,
                    spec=f"net:{address}",
                    identities=(f"address:{zone}/{address}",),
                    zone=zone,
                )
            )
    views.append(
        snapshot("prod", kind=Kind.AWS, spec="aws://prod", identities=("aws:123456789012",), owner="Cloud")
    )
    limits = ("UDP was not asked: ports: names TCP ports only",)
    coverage = NetworkCoverage(
        "10.0.0.0/24", "outside", "syn", 256, 4, 0, 1000, 256_000, 31.0, limits, 4000, 640
    )
    views.append(
        snapshot(
            "dmz-net",
            coverage,
            kind=Kind.NETWORK,
            spec="net:10.0.0.0/24",
            identities=("network:10.0.0.0/24",),
            zone="dmz",
        )
    )
    return merge(views, {})


def company_findings(hosts: int = 12) -> tuple[Finding, ...]:
    """What is wrong there, and what could not be known."""
    found: list[Finding] = []
    zones = ("dmz", "servers", "office")
    for number in range(hosts):
        name = f"{zones[number % 3]}-{number:02}"
        asset = f"machine-id:{name}"
        found.append(finding(target=name, asset=asset))
        found.append(
            finding(
                check="host.kernel.kptr-restrict",
                title="The kernel hides its addresses from unprivileged users",
                target=name,
                asset=asset,
                on="kernel.kptr_restrict",
                severity=Severity.LOW,
                impact=Impact.MINOR,
                exploit=Exploit.HARDENING,
                surface=Surface.LOCAL,
                port="",
                saw="0",
                want="1 or 2",
                fix=_fix("Hide kernel addresses", 0.25, 0.05),
            )
        )
        found.append(
            finding(
                check="host.patch.os-supported",
                title="The operating system still gets security fixes",
                target=name,
                asset=asset,
                on="debian 12",
                outcome=Outcome.FAIL if number == 4 else Outcome.UNKNOWN if number == 5 else Outcome.PASS,
                reason="the release is not in the table" if number == 5 else "",
                surface=Surface.LOCAL,
                port="",
                exploit=Exploit.POC,
                fix=_fix("Upgrade the release", 4, 6, Disruption.OUTAGE),
            )
        )
        found.append(
            finding(
                check="host.accounts.empty-password",
                title="No account has an empty password",
                target=name,
                asset=asset,
                on="/etc/shadow",
                outcome=Outcome.UNKNOWN if number % 2 else Outcome.PASS,
                reason="Passwords: permission denied" if number % 2 else "",
                needs="sudo -n cat /etc/shadow" if number % 2 else "",
            )
        )
    found.append(
        finding(
            check="network.admin.rdp-open",
            title="No remote desktop answers the internet",
            target="10.0.0.4",
            asset="machine-id:dmz-03",
            kind=Kind.NETWORK,
            on="tcp/3389",
            port="tcp/3389",
            severity=Severity.CRITICAL,
            weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
            saw="open",
            want="closed",
            fix=_fix("Close remote desktop to the internet; let it in over the VPN only", 1.5, 0.5),
        )
    )
    for region in ("eu-west-1", "us-east-1"):
        found.append(
            finding(
                check="cloud.s3.public-access",
                title="Every bucket blocks public access",
                target="prod",
                asset="aws:123456789012",
                kind=Kind.AWS,
                on=f"arn:aws:s3:::customer-export-{region}",
                region=region,
                severity=Severity.CRITICAL,
                impact=Impact.TOTAL,
                surface=Surface.DATA,
                port="",
                weakness=Weakness.WORLD_READABLE_STORE,
                exposure=Exposure.INTERNET_OPEN,
                exposure_evidence="the bucket policy allows s3:GetObject to everybody",
                saw="policy allows *",
                want="blocked",
                fix=_fix("Block public access of every bucket", 0.5, 0.5),
            )
        )
    found.append(
        finding(
            check="cloud.iam.root-mfa",
            title="The root user has a second factor",
            target="prod",
            asset="aws:123456789012",
            kind=Kind.AWS,
            on="root",
            severity=Severity.CRITICAL,
            impact=Impact.TOTAL,
            exploit=Exploit.POC,
            surface=Surface.CONTROL_PLANE,
            port="",
            fix=_fix("Give the root user a hardware second factor", 1, 0.5),
        )
    )
    found.append(
        finding(
            check="cloud.logs.trail",
            title="A trail records every region",
            target="prod",
            asset="aws:123456789012",
            kind=Kind.AWS,
            on="",
            outcome=Outcome.ERROR,
            reason="the check stopped: KeyError: 'Trail'",
        )
    )
    return tuple(found)


def ranked(
    estate: Estate | None = None,
    findings: Iterable[Finding] | None = None,
    ages: Mapping[str, str] | None = None,
) -> tuple[Ranked, ...]:
    """The company's findings in order, every third seen for the first time three weeks ago."""
    known = tuple(company_findings() if findings is None else findings)
    first = {one.id: "2026-11-02" for number, one in enumerate(known) if number % 3 == 0}
    return rank(
        known,
        company() if estate is None else estate,
        first_seen=first if ages is None else ages,
        statuses=dict.fromkeys(first, Status.OPEN),
        today=TODAY,
    )


def scan(**changes: object) -> ScanInfo:
    """Scan 7 of the company, with two targets that were not reached."""
    fields: dict[str, object] = {
        "number": 7,
        "organisation": "Example Ltd",
        "started": "2026-11-23T09:40:00Z",
        "finished": "2026-11-23T10:31:00Z",
        "state": "finished",
        "authorisation": "Order of the IT director of 2 November 2026",
        "baselines": ("linux-server 1.0 level-1", "aws-foundations 1.0"),
        "coverage": Coverage(
            planned=24,
            done=22,
            failed=1,
            not_scanned=1,
            unreached=(
                Unreached("ssh://backup-01", Kind.HOST, "authentication: no key was accepted"),
                Unreached("net:10.9.0.0/24", Kind.NETWORK, "the time window had closed"),
            ),
        ),
        "head": "8224ead247265defa0c1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c38d2319cc",
        "version": "0.1.0",
        "limits": ("No raw sockets: ports were asked with whole connections.", "Passwords were not tried."),
    }
    return ScanInfo(**{**fields, **changes})  # type: ignore[arg-type]


def past(count: int = 6) -> tuple[Past, ...]:
    """Earlier scans that slowly get better."""
    return tuple(
        Past(
            number=number + 1,
            finished=f"2026-{number % 12 + 1:02}-20T10:00:00Z",
            points=220.0 - 14 * min(number, 12),
            critical_high=30 - 2 * min(number, 12),
            overdue=6 - min(number, 12) // 2,
        )
        for number in range(count)
    )


def hostile_findings() -> tuple[Finding, ...]:
    """Every text of a finding, hostile in every way."""
    found = []
    outcomes = (Outcome.FAIL, Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR)
    for number, text in enumerate(HOSTILE):
        fix = Fix(
            do=f"{text} @{{on}}",
            verify=f"{text} @{{on}}",
            effort=Effort(1, 1),
            undo=text,
            snippets=(Snippet(Language.SHELL, f"{text} @{{on}}", text),),
            action=text,
            key=text,
        )
        found.append(
            finding(
                check=f"host.hostile.n{number}",
                title=text,
                target=text,
                asset=f"machine-id:{text}",
                on=text,
                region=text,
                outcome=outcomes[number % 4],
                saw=text,
                want=text,
                reason=text,
                needs=text,
                port=text,
                surface=Surface.DATA,
                exposure=Exposure.INTERNET_OPEN,
                exposure_evidence=text,
                fix=fix,
                evidence=(Evidence(text, text, text, text),),
                controls={text: (text,)},
                why=text,
            )
        )
    return tuple(found)


def hostile_estate() -> Estate:
    """The estate of the hostile findings: names, zones, owners and vantages are hostile too."""
    return merge(
        [
            snapshot(
                text,
                system(text, text),
                OpenPorts(text, text, text, 1, 0, (OpenPort(1, text),)),
                identities=(f"machine-id:{text}",),
                addresses=(text,),
                zone=text,
                owner=text,
                value=AssetValue.CROWN_JEWEL,
            )
            for text in HOSTILE
        ],
        {},
    )


def hostile_scan() -> ScanInfo:
    """A scan whose every text is hostile."""
    bad = HOSTILE[1]
    return scan(
        organisation=bad,
        started=bad,
        finished=bad,
        state=bad,
        authorisation=bad,
        baselines=HOSTILE,
        head=bad,
        version=bad,
        limits=HOSTILE,
        coverage=Coverage(20, 6, 14, 0, tuple(Unreached(text, Kind.HOST, text) for text in HOSTILE)),
    )


def many(count: int) -> tuple[Finding, ...]:
    """So many failures and unknowns on a thousand hosts."""
    return tuple(
        finding(
            target=f"host-{number % 1000:04}",
            asset=f"machine-id:host-{number % 1000:04}",
            on=f"setting-{number}",
            check=f"host.topic.check-{number % 40}",
            title=f"Setting {number % 40} is as demanded",
            outcome=Outcome.UNKNOWN if number % 10 == 9 else Outcome.FAIL,
            impact=tuple(Impact)[number % 4],
            exploit=tuple(Exploit)[number % 6],
            surface=Surface.LOCAL if number % 3 else Surface.CONTROL_PLANE,
            fix=_fix(f"Mend setting {number % 40}", 1, 0.01),
        )
        for number in range(count)
    )


def _fix(action: str, setup: float, each: float, disruption: Disruption = Disruption.RESTART) -> Fix:
    return Fix(
        do=f"{action}. Begin with @{{on}}.",
        verify="bartizan verify @{on}   # fixed",
        effort=Effort(setup, each),
        disruption=disruption,
        undo="Put the former setting back.",
        snippets=(Snippet(Language.SHELL, "mend --check @{on} && mend @{on}", "mend --back @{on}"),),
        action=action,
    )
