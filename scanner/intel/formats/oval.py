"""OVAL: definitions of flaws for Ubuntu and the RHEL family, with the tests that they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple
from xml.etree.ElementTree import Element

from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, begins
from scanner.intel.formats.xml import children, elements, local, text
from scanner.intel.releases import UBUNTU
from scanner.intel.unpack import FeedError, Source

_KINDS = frozenset(
    {
        "definition",
        "timestamp",
        *("dpkginfo_test", "dpkginfo_object", "dpkginfo_state"),
        *("rpminfo_test", "rpminfo_object", "rpminfo_state"),
        "constant_variable",
    }
)
_MODULE = re.compile(r"Module (\S+:\S+) is enabled")
_OPEN = re.compile(r"\b(?:no fix|is affected|is vulnerable|needs fixing|may need fixing|has been deferred)\b|"
                   r"\baffected and (?:needs|may need) fixing\b")  # fmt: skip
_PLATFORMS = (
    (re.compile(r"Ubuntu (\d\d\.\d\d)"), "ubuntu"),
    (re.compile(r"Red Hat Enterprise Linux (\d+)"), "rhel"),
    (re.compile(r"Oracle Linux (\d+)"), "ol"),
    (re.compile(r"AlmaLinux (\d+)"), "almalinux"),
)
MOST_DEFINITIONS = 500_000


class _Used(NamedTuple):
    """One test in the criteria of a definition."""

    test: str
    module: str
    open: bool


class _Definition(NamedTuple):
    id: str
    cves: tuple[str, ...]
    severity: str
    date: str
    used: tuple[_Used, ...]


class _Document:
    """The parts of one document, by their ids; definitions come first and their tests later."""

    def __init__(self) -> None:
        self.date = ""
        self.platforms: set[tuple[str, str]] = set()
        self.definitions: list[_Definition] = []
        self.tests: dict[str, tuple[str, str]] = {}
        self.objects: dict[str, tuple[str, bool]] = {}
        self.states: dict[str, str] = {}
        self.variables: dict[str, tuple[str, ...]] = {}

    def take(self, element: Element) -> None:
        kind = local(element)
        identifier = element.get("id", "")
        if kind == "definition":
            self._define(element)
        elif kind == "timestamp":
            self.date = self.date or (element.text or "").strip()
        elif kind.endswith("_test"):
            objects = [one.get("object_ref", "") for one in children(element, "object")]
            states = [one.get("state_ref", "") for one in children(element, "state")]
            self.tests[identifier] = ("".join(objects[:1]), "".join(states[:1]))
        elif kind.endswith("_object"):
            for name in children(element, "name"):
                variable = name.get("var_ref", "")
                self.objects[identifier] = (variable or (name.text or "").strip(), bool(variable))
        elif kind.endswith("_state"):
            for evr in children(element, "evr"):
                if evr.get("operation") == "less than":
                    self.states[identifier] = (evr.text or "").strip()
        else:
            self.variables[identifier] = tuple((v.text or "").strip() for v in children(element, "value"))

    def _define(self, element: Element) -> None:
        if element.get("class") not in ("vulnerability", "patch"):
            return
        if len(self.definitions) >= MOST_DEFINITIONS:
            raise FeedError(f"it holds more than {MOST_DEFINITIONS:,} definitions")
        for platform in children(element, "platform"):
            for pattern, ecosystem in _PLATFORMS:
                if found := pattern.search(platform.text or ""):
                    release = UBUNTU.get(found[1], "") if ecosystem == "ubuntu" else found[1]
                    self.platforms.add((ecosystem, release))
        said = [r.get("ref_id", "") for r in children(element, "reference")]
        said += [c.text or "" for c in children(element, "cve")]
        identifier = next((s for s in said if s and not s.startswith("CVE-")), element.get("id", ""))
        issued = next((i.get("date", "") for i in children(element, "issued")), "") or text(
            element, "public_date"
        )
        self.definitions.append(
            _Definition(
                identifier,
                tuple(dict.fromkeys(found for s in said for found in CVE.findall(s))),
                text(element, "severity"),
                issued[:10],
                tuple(_used(element, "")),
            )
        )

    def packages(self, used: _Used) -> Iterator[tuple[str, str]]:
        """(package, fixed version) of a test; nothing for the version of an open flaw."""
        refers, state = self.tests.get(used.test, ("", ""))
        name, is_variable = self.objects.get(refers, ("", False))
        fixed = self.states.get(state, "")
        # Other tests ask for the release, for a key or for a module.
        if not name or not (fixed or (used.open and not state)):
            return
        for package in self.variables.get(name, ()) if is_variable else (name,):
            yield package, "" if fixed.startswith("0:0-") or fixed == "0:0" else fixed.removeprefix("0:")


def _used(element: Element, module: str) -> Iterator[_Used]:
    """The tests of a definition, each with the module that its branch of the criteria asks for."""
    for child in element:
        if local(child) == "criteria":
            found = [_MODULE.search(c.get("comment", "")) for c in child if local(c) == "criterion"]
            yield from _used(child, next((m[1] for m in found if m), module))
        elif local(child) == "criterion":
            comment = child.get("comment", "")
            yield _Used(child.get("test_ref", ""), module, bool(_OPEN.search(comment)))


def _definitions(source: Source, draft: Draft) -> None:
    for _, stream in source.documents():
        document = _read(stream)
        if len(document.platforms) != 1 or not all(document.platforms):
            named = ", ".join(sorted(" ".join(p) for p in document.platforms)) or "none that is known"
            raise FeedError(f"it has to be about one release, and is about: {named}")
        [(ecosystem, release)] = document.platforms
        open_flaws = any(used.open for one in document.definitions for used in one.used)
        place = Place(ecosystem, release, "binary", "state" if open_flaws else "fixes")
        draft.name = f"oval-{ecosystem}-{release}"
        if document.date:
            draft.date = document.date[:10]
        for one in document.definitions:
            for used in one.used:
                for package, fixed in document.packages(used):
                    draft.advise(
                        place,
                        Advice(package, fixed, one.cves, one.id, one.severity, one.date, "", used.module),
                    )


def _read(stream: IO[bytes]) -> _Document:
    document = _Document()
    for element in elements(stream, _KINDS):
        document.take(element)
    return document


FORMS = (Form("OVAL definitions (XML)", begins(rb".{0,600}<(?:\w+:)?oval_definitions\b"), _definitions),)
