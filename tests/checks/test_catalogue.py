"""The catalogue: our checks, no duplicates, and installed packages only where they are allowed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.catalogue import CatalogueError, Plugin, build, load
from checks.check import Check, check
from checks.facts.snapshot import Fact
from checks.fix import Effort, Fix
from checks.model import Severity
from checks.verdict import Verdicts, expect

FIX = Fix(do="Mend it.", verify="true", effort=Effort(setup=0, each=0))

MODULE = '''
from checks import Effort, Fix, Severity, Verdicts, check, expect
from checks.facts.snapshot import Fact


class Kettle(Fact, frozen=True, forbid_unknown_fields=True):
    """A kettle."""

    hot: bool = False


@check("host.kettles.cold", title="Kettles are cold", severity=Severity.LOW,
       fix=Fix(do="Wait.", verify="true", effort=Effort(0, 0)), aliases=("host.kettles.cool",))
def cold(kettle: Kettle) -> Verdicts:
    """A hot kettle burns."""
    yield expect(not kettle.hot, on="kettle", saw=kettle.hot, want=False)


NUMBER = 5
'''


class Door(Fact, frozen=True, forbid_unknown_fields=True):
    """A door."""

    open: bool = False


@check("host.doors.locked", title="Doors are locked", severity=Severity.HIGH, fix=FIX)
def locked(door: Door) -> Verdicts:
    """An open door lets everybody in."""
    yield expect(not door.open, on="door", saw=door.open, want=False)


def also(**changes: Any) -> Check[Any]:
    return replace(locked, **changes)


# --- what one catalogue may hold ---


def test_checks_are_found_by_id_and_former_id() -> None:
    one = also(id="host.doors.shut", aliases=("host.doors.closed",))
    catalogue = build([locked, one], [Door])
    assert list(catalogue.checks) == ["host.doors.locked", "host.doors.shut"]
    assert catalogue.find("host.doors.locked") is locked
    assert catalogue.find("host.doors.closed") is one
    assert catalogue.find("host.doors.open") is None
    assert catalogue.nearest("host.doors.lokced") == "host.doors.locked"
    assert catalogue.nearest("host.doors.close") == "host.doors.closed"
    assert catalogue.nearest("zzzz") == ""


def test_two_checks_of_one_id_are_an_error() -> None:
    with pytest.raises(CatalogueError, match=r"two checks have the id host\.doors\.locked"):
        build([locked, also(title="Another")], [])


def test_one_check_found_twice_is_one_check() -> None:
    assert list(build([locked, locked], []).checks) == ["host.doors.locked"]


@pytest.mark.parametrize(
    "others",
    [
        [also(id="host.a.b", aliases=("host.doors.locked",))],
        [also(id="host.a.b", aliases=("host.x.y",)), also(id="host.c.d", aliases=("host.x.y",))],
        [also(id="host.a.b", aliases=("host.a.b",))],
    ],
)
def test_a_former_id_belongs_to_one_check_only(others: list[Check[Any]]) -> None:
    with pytest.raises(CatalogueError, match="is taken"):
        build([locked, *others], [])


def test_two_facts_of_one_name_are_an_error_and_one_found_twice_is_not() -> None:
    twin = type("Door", (Fact,), {"__annotations__": {}}, frozen=True)
    assert list(build([], [Door, Door]).facts) == ["Door"]
    with pytest.raises(CatalogueError, match="two facts have the name Door"):
        build([], [Door, twin])


def test_a_catalogue_cannot_be_changed() -> None:
    catalogue: Any = build([locked], [Door])
    with pytest.raises(TypeError):
        catalogue.checks["x"] = locked


def test_our_own_catalogue_loads_and_holds_no_plugins() -> None:
    catalogue = load()
    assert catalogue.checks
    assert not catalogue.plugins
    assert all(one.id == key for key, one in catalogue.checks.items())


# --- other packages ---


class Shelf:
    """A folder on the import path into which distributions are put as an installer would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, points: str, module: str = MODULE, version: str = "1.2") -> None:
        stem = name.replace("-", "_").lower()
        info = self.folder / f"{stem}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(points)
        (self.folder / f"{stem}_code.py").write_text(module)
        importlib.invalidate_caches()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Shelf(tmp_path)
    for name in set(sys.modules) - before:
        if name.endswith("_code"):
            del sys.modules[name]


BOTH = "[bartizan.checks]\nkettles = {0}_code\n[bartizan.facts]\nkettles = {0}_code\n"


def test_an_allowed_package_adds_checks_and_facts_and_is_named(shelf: Shelf) -> None:
    shelf.put("Tea-Checks", BOTH.format("tea_checks"))
    catalogue = load(["tea_checks"])
    one = catalogue.find("host.kettles.cool")
    assert one is not None
    assert one.id == "host.kettles.cold"
    assert "Kettle" in catalogue.facts
    assert catalogue.plugins == (Plugin("kettles", "Tea-Checks", "1.2"),)


def test_a_package_that_is_not_allowed_is_not_even_imported(shelf: Shelf) -> None:
    shelf.put("tea", BOTH.format("tea"), module="raise SystemExit('imported')\n")
    shelf.put("milk", BOTH.format("milk"))
    catalogue = load(["milk"])
    assert [p.distribution for p in catalogue.plugins] == ["milk"]
    assert "host.kettles.cold" not in load().checks


def test_an_entry_point_may_be_one_check_or_one_fact(shelf: Shelf) -> None:
    shelf.put("tea", "[bartizan.checks]\ncold = tea_code:cold\n[bartizan.facts]\nkettle = tea_code:Kettle\n")
    catalogue = load(["tea"])
    assert "host.kettles.cold" in catalogue.checks
    assert "Kettle" in catalogue.facts
    assert {p.name for p in catalogue.plugins} == {"cold", "kettle"}


def test_two_packages_with_one_check_are_an_error(shelf: Shelf) -> None:
    shelf.put("tea", BOTH.format("tea"))
    shelf.put("milk", BOTH.format("milk"))
    with pytest.raises(CatalogueError, match=r"two checks have the id host\.kettles\.cold"):
        load(["tea", "milk"])


@pytest.mark.parametrize(
    ("points", "module", "says"),
    [
        (
            "[bartizan.checks]\nx = tea_code:NUMBER\n",
            MODULE,
            "x of bartizan.checks is neither a check nor a module",
        ),
        (
            "[bartizan.facts]\nx = tea_code:NUMBER\n",
            MODULE,
            "x of bartizan.facts is neither a fact nor a module",
        ),
        ("[bartizan.facts]\nx = tea_code:cold\n", MODULE, "neither a fact nor a module"),
        ("[bartizan.checks]\nx = tea_code:missing\n", MODULE, "x of bartizan.checks cannot be loaded"),
        ("[bartizan.checks]\nx = nowhere_code\n", MODULE, "cannot be loaded: No module named"),
        ("[bartizan.checks]\nx = tea_code\n", "1 / 0\n", "cannot be loaded: division by zero"),
    ],
)
def test_a_package_that_does_not_hold_what_it_says_is_an_error(
    shelf: Shelf, points: str, module: str, says: str
) -> None:
    shelf.put("tea", points, module)
    with pytest.raises(CatalogueError, match=says):
        load(["tea"])


def test_an_allowed_package_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(CatalogueError, match="the plug-in no-such-tea is allowed but not installed"):
        load(["no-such-tea"])
