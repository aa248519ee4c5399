"""updateinfo.xml: the advisories in the repositories of rpm distributions (Amazon Linux, Fedora, EL)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, begins
from scanner.intel.formats.modules import module_of
from scanner.intel.formats.xml import children, elements, text
from scanner.intel.releases import dist_of
from scanner.intel.unpack import FeedError, Source

_VENDORS = (("almalinux", "almalinux"), ("rocky", "rocky"), ("redhat", "rhel"), ("oracle", "ol"))


def _updates(source: Source, draft: Draft) -> None:
    places: set[tuple[str, str]] = set()
    for _, stream in source.documents():
        for update in elements(stream, frozenset({"update"})):
            if update.get("type") == "security":
                places |= _update(update, draft)
    if len(places) > 1:
        named = ", ".join(sorted(" ".join(place) for place in places))
        raise FeedError(f"it is about more than one release: {named}")
    draft.name = "-".join(("updateinfo", *(part for place in places for part in place)))


def _update(update: Element, draft: Draft) -> set[tuple[str, str]]:
    identifier = text(update, "id")
    vendor = " ".join((update.get("from", ""), identifier, text(update, "release"))).lower()
    named = [
        reference.get("id", "") or reference.get("title", "") for reference in children(update, "reference")
    ]
    cves = tuple(dict.fromkeys(found for name in named for found in CVE.findall(name)))
    date = next((issued.get("date", "") for issued in children(update, "issued")), "")
    fixed: dict[str, str] = {}
    for package in children(update, "package"):
        epoch = package.get("epoch", "0") or "0"
        version = f"{package.get('version', '')}-{package.get('release', '')}"
        if package.get("arch") != "src":
            fixed[package.get("name", "")] = version if epoch in ("0", "") else f"{epoch}:{version}"
    module = module_of(fixed)
    places: set[tuple[str, str]] = set()
    for name, version in fixed.items():
        where = _release(version, vendor)
        if where is None:
            draft.skipped += 1
            continue
        places.add(where)
        advice = Advice(name, version, cves, identifier, text(update, "severity"), date, "", module)
        draft.advise(Place(*where, "binary", "fixes"), advice)
    return places


def _release(version: str, vendor: str) -> tuple[str, str] | None:
    """The distribution of a fixed version: by its mark, and by who says so where several share the mark."""
    mark, number = dist_of(version)
    if mark == "amzn":
        return "amzn", number
    if mark == "fc":
        return "fedora", number
    if mark == "el":
        return next(((ecosystem, number) for word, ecosystem in _VENDORS if word in vendor), None)
    return None


FORMS = (Form("updateinfo (XML)", begins(rb"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<updates\b"), _updates),)
