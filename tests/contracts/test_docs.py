"""What the documentation shows works as it stands there."""

from __future__ import annotations

import re
import shlex
import types
from pathlib import Path
from typing import Any

import click
import pytest

from baselines.load import library, load
from baselines.resolve import resolve
from checks.catalogue import build
from checks.catalogue import load as load_catalogue
from checks.check import Check
from checks.facts.host.system import OperatingSystem
from scanner.cli.start import COMMANDS

ROOT = Path(__file__).parents[2]
WRITING = (ROOT / "docs" / "writing-checks.md").read_text("utf-8")


def block(text: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("kernel", "ok"), [("6.1.0-30-amd64", True), ("5.10.0-1", False)])
def test_the_check_in_the_guide_is_one(kernel: str, ok: bool) -> None:
    module = types.ModuleType("guide")
    source = block(WRITING, "python")
    exec(compile(source, "writing-checks.md", "exec", dont_inherit=True), module.__dict__)
    one: Check[Any] = module.__dict__["kernel_series"]
    assert build([one], []).find("host.acme.kernel-series") is one
    [verdict] = one(OperatingSystem("debian", "12", "Debian 12", (), kernel, "x86_64", "web-1"))
    assert verdict.ok is ok


def test_the_baseline_in_the_guide_resolves() -> None:
    loaded = load(block(WRITING, "yaml").encode(), "acme.yaml")
    catalogue = load_catalogue()
    known = {**library(), loaded.baseline.id: loaded}
    demands = {d.check.id: d for d in resolve(loaded, "level-1", catalogue, known)}
    assert demands["host.ssh.root-login"].options["allowed"] == {"no", "prohibit-password"}
    below = resolve(library()["linux-server"], "level-1", catalogue, library())
    assert len(demands) == len(below) - 1


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/writing-checks.md",
        "docs/scope.md",
        "docs/hosts.md",
        "docs/risk-model.md",
        "docs/networks.md",
    ],
)
def test_every_command_in_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"(?:^|`)bartizan ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= set(COMMANDS) | {"doctor"}, sorted(set(named) - set(COMMANDS))


def test_every_option_in_the_readme_exists() -> None:
    from scanner.cli.start import cli

    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        if not line.startswith("bartizan "):
            continue
        words = shlex.split(line.partition("#")[0].partition("&&")[0].partition(";")[0].partition(">")[0])
        command = cli.get_command(click.Context(cli), words[1])
        assert command is not None, line
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words[2])
            assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts}
        known |= {"--help"}
        assert {w for w in words[2:] if w.startswith("--")} <= known, line


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md")))
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#:\s]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / link).exists(), link
