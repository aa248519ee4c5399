"""What every check of ours keeps: its id, its words, its thresholds, and fixes that are safe to paste."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
import yaml

from checks.catalogue import load
from checks.check import Check
from checks.fix import Fix, Language, fill, places
from checks.model import Surface

CHECKS: dict[str, Check[Any]] = dict(load().checks)
ALWAYS = frozenset({"on", "region", "target", "saw", "want", "port"})
"""The places that `baselines.evaluate` fills for every verdict."""

every = pytest.mark.parametrize("identifier", list(CHECKS))


def test_there_are_checks() -> None:
    assert len(CHECKS) >= 40
    assert {identifier.partition(".")[0] for identifier in CHECKS} == {"network", "host", "cloud"}


@every
def test_an_id_says_where_its_check_stands(identifier: str) -> None:
    one = CHECKS[identifier]
    folder, topic, name = identifier.split(".")
    assert one.run.__module__ == f"checks.{folder}.{topic.replace('-', '_')}"
    module = importlib.import_module(one.run.__module__)
    own = [key for key, value in vars(module).items() if value is one]
    # A check of a table has no name of its own in the module; its last part is free.
    assert not own or name.replace("-", "_") in own
    assert own or any(isinstance(value, tuple) and one in value for value in vars(module).values())


@every
def test_a_title_states_the_good_state_and_the_docstring_says_why(identifier: str) -> None:
    one = CHECKS[identifier]
    assert re.fullmatch(r"([A-Z0-9]|sudo).{8,110}[^.!?:\s]", one.title), "one line without a full stop"
    assert re.fullmatch(r".{20,500}[.!?]", one.why), "whole sentences"
    assert one.why != one.title


@every
def test_a_threshold_has_a_default_of_its_own_type(identifier: str) -> None:
    for option in CHECKS[identifier].options.values():
        plain = msgspec.to_builtins(option.default)
        assert msgspec.convert(plain, option.type) == option.default, option.name


@every
def test_a_fix_says_what_to_do_how_to_verify_and_what_it_costs(identifier: str) -> None:
    fix = CHECKS[identifier].fix
    assert fix.do.strip()
    assert fix.verify.strip()
    assert re.fullmatch(r"[A-Z].*[^.\s]", fix.action), "an imperative of one line"
    assert fix.effort.setup + fix.effort.each > 0
    assert 0 < fix.effort.low <= 1 <= fix.effort.high


@every
def test_every_place_of_a_fix_is_one_that_a_verdict_fills(identifier: str) -> None:
    one = CHECKS[identifier]
    asked = {place for _, text in _texts(one.fix) for place in places(text)}
    assert asked - ALWAYS <= _words(one.run.__module__), "no verdict of this module names it in its values"


@every
def test_a_weakness_through_a_service_can_name_its_port(identifier: str) -> None:
    one = CHECKS[identifier]
    if one.surface is Surface.SERVICE:
        assert any("port=" in source for source in _sources(one.run.__module__))


# --- snippets ---


@every
def test_places_in_shell_commands_stand_outside_of_quotes(identifier: str) -> None:
    for language, text in _texts(CHECKS[identifier].fix):
        if language in (Language.SHELL, Language.AWS_CLI):
            assert not list(_quoted_places(text)), (
                "the value brings its own quotes; put the place outside of them"
            )


@every
def test_shell_commands_are_shell(identifier: str) -> None:
    for language, text in _texts(CHECKS[identifier].fix):
        if language in (Language.SHELL, Language.AWS_CLI):
            filled = fill(text, dict.fromkeys(places(text), "a'b\"c $(d) `e` \\ \n;f"), language)
            run = subprocess.run(
                ["/bin/sh", "-n", "-c", filled], capture_output=True, timeout=20, check=False
            )
            assert (run.returncode, run.stderr) == (0, b"")


@every
def test_ansible_snippets_are_yaml_in_which_a_place_is_a_whole_value(identifier: str) -> None:
    hostile = "a: 'b' \"c\" {{ d }} #e \n- f"
    for language, text in _texts(CHECKS[identifier].fix):
        if language is Language.ANSIBLE and text:
            filled = fill(text, dict.fromkeys(places(text), hostile), language)
            tasks = yaml.load(filled, Loader=_Ansible)
            assert isinstance(tasks, list | dict)
            scalars = [value for value in _scalars(tasks) if "{{ d }}" in value]
            assert all(value == hostile.replace("\n", "\\u000a") for value in scalars)
            assert bool(scalars) is bool(places(text))


@every
def test_places_in_terraform_stand_outside_of_quotes(identifier: str) -> None:
    for language, text in _texts(CHECKS[identifier].fix):
        if language is Language.TERRAFORM:
            for line in text.splitlines():
                for place in re.finditer(r"@\{\w+\}", line):
                    assert line[: place.start()].count('"') % 2 == 0, line


def test_the_reader_of_quotes_knows_its_trade() -> None:
    good = [
        "a @{x}",
        "a 'b' @{x}",
        'a "b" @{x}',
        "a # it's @{x}",
        "a \\' @{x}",
        "echo a#b @{x}",
        "a\n# don't\nb @{x}",
    ]
    bad = [
        "a '@{x}'",
        'a "@{x}"',
        'a "b \'c @{x}"',
        "a <<EOF\n@{x}\nEOF",
        "a <<-'E'\n\t@{x}\n\tE",
        "a '#' '@{x}'",
    ]
    assert [text for text in good if list(_quoted_places(text))] == []
    assert [text for text in bad if not list(_quoted_places(text))] == []


class _Ansible(yaml.SafeLoader):
    """YAML as Ansible reads it."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Ansible.add_constructor("!unsafe", _unsafe)


def _texts(fix: Fix) -> Iterator[tuple[Language | None, str]]:
    yield from ((None, text) for text in (fix.do, fix.undo, fix.action, fix.key))
    yield Language.SHELL, fix.verify
    for snippet in fix.snippets:
        yield snippet.language, textwrap.dedent(snippet.do)
        yield snippet.language, textwrap.dedent(snippet.undo)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from _scalars(child)
    elif isinstance(value, list):
        for child in value:
            yield from _scalars(child)
    elif isinstance(value, str):
        yield value


def _quoted_places(text: str) -> Iterator[str]:
    """The places of a shell script that stand inside quotes or in a here-document."""
    quote, comment, start = "", False, True
    ends = re.findall(r"<<-?\s*['\"]?(\w+)['\"]?", text)
    for end in ends:
        body = re.search(rf"<<-?\s*['\"]?{end}['\"]?[^\n]*\n(.*?)\n\s*{end}\b", text, re.DOTALL)
        if body:
            yield from re.findall(r"@\{\w+\}", body[1])
            text = text.replace(body[1], "")
    at = 0
    while at < len(text):
        character = text[at]
        if comment:
            comment = character != "\n"
        elif quote:
            if character == "\\" and quote == '"':
                at += 1
            elif character == quote:
                quote = ""
            elif text.startswith("@{", at):
                yield text[at : text.index("}", at) + 1]
        elif character in "'\"":
            quote = character
        elif character == "\\":
            at += 1
        elif character == "#" and start:
            comment = True
        start = character in " \t\n;"
        at += 1


@cache
def _words(name: str) -> frozenset[str]:
    """The texts and keywords of a topic, among which are the names of its verdicts' values."""
    trees = [ast.parse(source) for source in _sources(name)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    keywords = {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg is not None}
    return frozenset(texts | keywords)


@cache
def _sources(name: str) -> tuple[str, ...]:
    """The text of a topic's module, and of the modules of its folder that it uses."""
    module = importlib.import_module(name)
    folder = name.rpartition(".")[0]
    used = {getattr(value, "__module__", None) or name for value in vars(module).values()}
    near = {name, *(other for other in used if other.startswith(f"{folder}."))}
    return tuple(inspect.getsource(importlib.import_module(other)) for other in sorted(near))
