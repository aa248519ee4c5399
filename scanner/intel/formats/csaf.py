"""CSAF and VEX: what Red Hat says of a flaw in the packages of each release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote

import msgspec

from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, holds
from scanner.intel.unpack import Source, whole

_MOST = 64 << 20
_MOST_NESTED = 3
_CPE = re.compile(r"cpe:/[oa]:redhat:enterprise_linux:(\d+)(?:\.\d+)?(?:::\w+)?")


class _Helper(msgspec.Struct):
    cpe: str = ""
    purl: str = ""


class _Product(msgspec.Struct):
    product_id: str = ""
    product_identification_helper: _Helper | None = None


class _Branch(msgspec.Struct):
    product: _Product | None = None
    branches: tuple[_Branch, ...] = ()


class _Relation(msgspec.Struct):
    full_product_name: _Product
    product_reference: str = ""
    relates_to_product_reference: str = ""


class _Tree(msgspec.Struct):
    branches: tuple[_Branch, ...] = ()
    relationships: tuple[_Relation, ...] = ()


class _Tracking(msgspec.Struct):
    id: str = ""
    current_release_date: str = ""


class _Severity(msgspec.Struct):
    text: str = ""


class _Document(msgspec.Struct):
    tracking: _Tracking
    aggregate_severity: _Severity | None = None


class _Status(msgspec.Struct):
    fixed: tuple[str, ...] = ()
    known_affected: tuple[str, ...] = ()


class _Flaw(msgspec.Struct):
    cve: str = ""
    product_status: _Status | None = None


class _Csaf(msgspec.Struct):
    document: _Document
    product_tree: _Tree = msgspec.field(default_factory=_Tree)
    vulnerabilities: tuple[_Flaw, ...] = ()


def _documents(source: Source, draft: Draft) -> None:
    draft.name = "csaf-redhat"
    decoder = msgspec.json.Decoder(_Csaf)
    for name, stream in source.documents():
        if name == source.label or name.endswith(".json"):
            _document(decoder.decode(whole(stream, _MOST)), draft)


def _document(one: _Csaf, draft: Draft) -> None:
    tracking = one.document.tracking
    if tracking.current_release_date:
        draft.dated(tracking.current_release_date)
    severity = one.document.aggregate_severity.text if one.document.aggregate_severity else ""
    products = dict(_products(one.product_tree.branches))
    parts = {
        r.full_product_name.product_id: (r.product_reference, r.relates_to_product_reference)
        for r in one.product_tree.relationships
    }
    for flaw in one.vulnerabilities:
        if not CVE.fullmatch(flaw.cve) or flaw.product_status is None:
            continue
        seen: set[tuple[str, str, str]] = set()
        for identifiers, is_fixed in (
            (flaw.product_status.fixed, True),
            (flaw.product_status.known_affected, False),
        ):
            for identifier in identifiers:
                found = _component(identifier, products, parts, is_fixed=is_fixed)
                if found is None or (found.package, found.fixed, found.release) in seen:
                    continue
                seen.add((found.package, found.fixed, found.release))
                place = Place("rhel", found.release, "binary" if is_fixed else "source", "state")
                draft.advise(
                    place,
                    Advice(
                        found.package,
                        found.fixed,
                        (flaw.cve,),
                        tracking.id,
                        severity,
                        tracking.current_release_date[:10],
                        "",
                        found.module,
                    ),
                )


class _Component(msgspec.Struct):
    package: str
    fixed: str
    release: str
    module: str


def _component(
    identifier: str,
    products: dict[str, _Helper],
    parts: dict[str, tuple[str, str]],
    *,
    is_fixed: bool,
) -> _Component | None:
    """The package behind a product of the document; None for other systems, and for sources where fixed."""
    component, platform = parts.get(identifier, ("", ""))
    module = ""
    # A package of a module belongs to the module, and that to the system.
    for _ in range(_MOST_NESTED):
        if platform in parts:
            inner, platform = parts[platform]
            module = module or _module(products.get(inner))
    system = products.get(platform)
    # Those of extended support have a CPE of their own, and other versions.
    release = _CPE.fullmatch(system.cpe) if system else None
    helper = products.get(component)
    if release is None or helper is None or not helper.purl.startswith("pkg:rpm/redhat/"):
        return None
    path, _, query = helper.purl.removeprefix("pkg:rpm/redhat/").partition("?")
    name, _, version = path.partition("@")
    values = {key: found[0] for key, found in parse_qs(query).items()}
    if is_fixed and (not version or values.get("arch") == "src"):
        return None
    epoch = values.get("epoch", "0")
    fixed = "" if not is_fixed else unquote(version) if epoch == "0" else f"{epoch}:{unquote(version)}"
    module = module or ":".join(values.get("rpmmod", "").split(":")[:2])
    return _Component(unquote(name), fixed, release[1], module)


def _module(helper: _Helper | None) -> str:
    """`nodejs:20` of `pkg:rpmmod/redhat/nodejs@20:8100020240101:489197e6`."""
    if helper is None or not helper.purl.startswith("pkg:rpmmod/redhat/"):
        return ""
    name, _, version = unquote(helper.purl.removeprefix("pkg:rpmmod/redhat/").partition("?")[0]).partition(
        "@"
    )
    return f"{name}:{version.partition(':')[0]}"


def _products(branches: tuple[_Branch, ...]) -> Iterator[tuple[str, _Helper]]:
    for branch in branches:
        if branch.product and branch.product.product_identification_helper:
            yield branch.product.product_id, branch.product.product_identification_helper
        yield from _products(branch.branches)


FORMS = (Form("CSAF or VEX (JSON)", holds(rb'"document"\s*:', rb'"category"\s*:\s*"csaf_'), _documents),)
