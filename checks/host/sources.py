"""From where a host takes its packages, and whether anybody vouches for them."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.sources import PackageSource, PackageSources
from checks.facts.host.system import OperatingSystem
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

_KNOWN = {
    "debian": ("debian.org",),
    "ubuntu": ("ubuntu.com", "canonical.com"),
    "rhel": ("redhat.com",),
    "almalinux": ("almalinux.org",),
    "rocky": ("rockylinux.org",),
    "centos": ("centos.org",),
    "fedora": ("fedoraproject.org",),
    "ol": ("oracle.com",),
    "amzn": ("amazonaws.com", "amazonlinux.com"),
    "sles": ("suse.com",),
    "opensuse-leap": ("opensuse.org",),
    "alpine": ("alpinelinux.org",),
}
"""Whose servers a distribution's own packages come from; a mirror of one's own belongs to the threshold."""


@check(
    "host.sources.verified",
    title="Packages are taken only with a checked signature",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Check the signatures of all package sources",
        do="Import the key of the publisher, then take what switches the check off out of @{file} "
        "(`trusted=yes`, `gpgcheck=0`, AllowUnauthenticated) and refresh the lists.",
        verify="grep -rniE 'trusted *= *yes|trusted: *yes|gpgcheck *= *0|AllowUnauthenticated' "
        "/etc/apt /etc/yum.repos.d /etc/dnf /etc/zypp   # nothing",
        effort=Effort(setup=0.5, each=0.1),
        undo="Put the setting back with the copy that the snippet keeps.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=@{file}\n"
                '[ -e "$file.before-verify" ] || cp -p "$file" "$file.before-verify"\n'
                "sed -i -E -e 's/\\[ *trusted *= *yes *\\] *//' -e 's/ +trusted *= *yes//' "
                "-e 's/^Trusted: *yes/Trusted: no/I' "
                "-e 's/^((pkg_)?gpgcheck *= *)(0|no|false|off)/\\11/' \"$file\"",
                'file=@{file}\ncp -p "$file.before-verify" "$file" && rm -f "$file.before-verify"',
            ),
        ),
    ),
    refs=("https://wiki.debian.org/SecureApt",),
)
def verified(found: PackageSources) -> Verdicts:
    """Whoever sits in the path, or on the mirror, installs as root what the host takes unsigned."""
    bad = [one for one in found.sources if not one.verified]
    for one in bad:
        yield expect(
            False,
            on=one.name,
            saw=f"signatures are not checked ({one.file})",
            want="checked",
            values={"file": one.file},
            cite=one.uri,
        )
    for setting in found.unverified:
        file = setting.partition(":")[0] if setting.startswith("/") else "/etc/apt/apt.conf"
        yield expect(
            False, on=setting, saw="unsigned packages are let in", want="not set", values={"file": file}
        )
    if not bad and not found.unverified and found.sources:
        yield expect(True, on="package sources", saw=f"{len(found.sources)}, all checked", want="all checked")
    elif not found.sources and not found.unverified:
        yield not_applicable("package sources", "no repository is enabled")


@check(
    "host.sources.encrypted",
    title="Packages without a checked signature never come over plain http",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Take packages over https",
        do="Change the address of `@{on}` in @{file} to https, or check its signatures.",
        verify="grep -rn 'http://' /etc/apt /etc/yum.repos.d /etc/zypp/repos.d   # signed ones only",
        effort=Effort(setup=0.25, each=0.05),
        undo="Change the address back.",
        snippets=(
            Snippet(
                Language.SHELL,
                'file=@{file}\nuri=@{uri}\nsecure=https://${uri#http://}\nsed -i "s#$uri#$secure#g" "$file"',
                'file=@{file}\nuri=@{uri}\nsecure=https://${uri#http://}\nsed -i "s#$secure#$uri#g" "$file"',
            ),
        ),
    ),
)
def encrypted(found: PackageSources) -> Verdicts:
    """Over plain http with no signature anybody on the way replaces the package."""
    plain = [one for one in found.sources if one.uri.startswith(("http://", "ftp://"))]
    bad = [one for one in plain if not one.verified]
    for one in bad:
        yield expect(
            False,
            on=one.name,
            saw=f"{one.uri}, signatures not checked",
            want="https, or checked",
            values={"file": one.file, "uri": one.uri},
            cite=one.uri,
        )
    if not bad and found.sources:
        saw = f"{len(plain)} over http, all checked" if plain else "none over http"
        yield expect(True, on="package sources", saw=saw, want="https, or checked")
    elif not found.sources:
        yield not_applicable("package sources", "no repository is enabled")


@check(
    "host.sources.third-party",
    title="Every package source outside of the distribution is known",
    severity=Severity.INFO,
    fix=Fix(
        action="Review the package sources outside of the distribution",
        do="Find out who publishes `@{on}`, and whether the host still needs it. A needed one goes on the "
        "list of known sources (threshold known), with somebody who follows its security notices; another "
        "is taken out. Which it is only a person can say.",
        verify="grep -rn . /etc/apt/sources.list.d /etc/yum.repos.d   # known ones only",
        effort=Effort(setup=0.5, each=0.05),
        undo="Put the file back.",
    ),
)
def third_party(
    system: OperatingSystem, found: PackageSources, *, known: frozenset[str] = frozenset()
) -> Verdicts:
    """Each publisher may install anything as root, and its flaws are not in the distribution's notices."""
    own = (*_KNOWN.get(system.id, ()), *known)
    strange = [one for one in found.sources if not _is_of(one, own)]
    for one in strange:
        yield expect(
            False,
            on=one.name,
            saw=f"{one.uri or 'no address'} ({one.file})",
            want="a source of the distribution, or a known one",
            confidence=Confidence.CONFIRMED if system.id in _KNOWN else Confidence.POSSIBLE,
            cite=one.uri,
        )
    if found.sources and not strange:
        yield expect(True, on="package sources", saw="of the distribution, or known", want="known ones only")
    elif not found.sources:
        yield not_applicable("package sources", "no repository is enabled")


def _is_of(one: PackageSource, domains: tuple[str, ...]) -> bool:
    host = one.uri.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()
    return any(host == domain or host.endswith(f".{domain}") for domain in domains) or one.name in domains
