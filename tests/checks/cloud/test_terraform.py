"""The repairs in Terraform: HCL that parses whatever a resource is called, and arguments that exist.

`terraform_arguments.json` holds what release 6 of the AWS provider takes: by resource, and by block in it,
each argument with its type (`string`, `number`, `bool`, `list`, `map`, or the arguments of a block); those
that must be given end in `!`. `any` are the blocks that can stand in each other without end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from checks import Language
from checks.catalogue import load
from checks.fix import fill, places

TEXTS = {
    name: snippet.do
    for name, check in load().checks.items()
    if name.startswith("cloud.")
    for snippet in check.fix.snippets
    if snippet.language is Language.TERRAFORM
}
KNOWN: Mapping[str, Any] = json.loads(Path(__file__).with_name("terraform_arguments.json").read_text("utf-8"))
DOCUMENT = "data.aws_iam_policy_document"
HOSTILE = 'x" } resource "aws_iam_user" "owned" { ${file("/etc/passwd")} %{ if true } \\ \n# \r */'
ANY = {"count", "depends_on", "for_each", "lifecycle", "provider"}
"""What every resource takes, whoever provides it."""
PORT = {"first": "22"}
"""What a check reads out of numbers alone."""
Found = Iterator[str]


def parsed(text: str, value: str = "some-name") -> dict[str, Any]:
    values = {**dict.fromkeys(places(text), value), **PORT}
    filled = fill(text, values, Language.TERRAFORM)
    tree: dict[str, Any] = hcl2.loads(filled if filled.endswith("\n") else f"{filled}\n")
    return tree


def arguments(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if not name.startswith("__")}


def kinds(tree: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each resource of a text with its kind."""
    for one in tree.get("resource", ()):
        for kind, named in one.items():
            for block in named.values():
                yield kind.strip('"'), block


def shape(value: Any) -> str:
    match value:
        case str() if value.startswith("${"):
            return "any"  # an expression
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case list() if value and isinstance(value[0], dict) and value[0].get("__is_block__"):
            return "block"
        case list():
            return "list"
        case dict():
            return "map"
        case _:
            return "string"


def fits(wanted: Any, got: str, value: Any) -> bool:
    """Whether Terraform takes it: it makes texts of numbers and flags, and numbers of digits."""
    if "any" in (wanted, got):
        return True
    if isinstance(wanted, dict):
        return got == "block"
    if wanted == "number" and got == "string":
        return str(value).strip('"').isdigit()
    return got == wanted or (wanted == "string" and got in ("bool", "number"))


def wrong(block: Mapping[str, Any], known: Mapping[str, Any], at: str, *, whole: bool) -> Found:
    """What the provider would refuse of a block; a `whole` one needs all that must be given."""
    given = arguments(block)
    for name, value in given.items():
        wanted = known.get(name, known.get(f"{name}!"))
        if wanted is None:
            yield f"{at}: no argument {name}"
        elif not fits(wanted, shape(value), value):
            yield f"{at}: {name} is {shape(value)}"
        elif isinstance(wanted, dict) and shape(value) == "block":
            for one in value:
                yield from wrong(one, wanted, f"{at}.{name}", whole=whole)
    for name in known:
        if whole and name.endswith("!") and name[:-1] not in given:
            yield f"{at}: {name[:-1]} is missing"


def inside(known: Mapping[str, Any], words: set[str]) -> Iterator[Mapping[str, Any]]:
    """A resource and those of its blocks that the comment names."""
    yield known
    for name, wanted in known.items():
        if isinstance(wanted, dict):
            found = inside(wanted, words)
            own = next(found)
            if name.removesuffix("!") in words:
                yield own
            yield from found


def places_of(text: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Where a part of a text belongs that is in no resource: its comment names it."""
    comments = " ".join(re.findall(r"#(.*)", text))
    words = set(re.findall(r"\w+", comments))
    named = sorted(words & KNOWN.keys())
    if words & {"statement", "policy", "assume_role_policy", "aws_iam_policy_document"}:
        named.append(DOCUMENT)
        words.add("statement")
    return [(name, block) for name in named for block in inside(KNOWN[name], words)]


def problems(text: str) -> Found:
    tree = parsed(text)
    for kind, block in kinds(tree):
        own = {name: value for name, value in block.items() if name not in ANY}
        yield from wrong(own, KNOWN[kind], kind, whole=True) if kind in KNOWN else [f"no resource {kind}"]
    loose = {name: value for name, value in arguments(tree).items() if name != "resource"}
    for name, value in loose.items():
        tried = [list(wrong({name: value}, block, where, whole=False)) for where, block in places_of(text)]
        if not tried:
            yield f"{name}: nothing says where it goes"
        elif all(tried):
            yield min(tried, key=len)[0]
    if not loose and "resource" not in tree:
        yield "nothing in it"


def test_what_would_be_wrong_is_seen() -> None:
    """The test itself can fail: each of these is a mistake."""
    mistakes = {
        'resource "aws_kinesis_stream" "a" {\n  shards = 1\n}\n': "no argument shards",
        'resource "aws_kinesis_stream" "a" {\n}\n': "name is missing",
        'resource "aws_kinesis_stream" "a" {\n  name = []\n}\n': "name is list",
        '# In the aws_kinesis_stream:\nretention_period = "long"\n': "retention_period is string",
        "# In the aws_kinesis_stream:\nretention = 1\n": "no argument retention",
        "retention_period = 1\n": "nothing says where",
        "# In the aws_lb:\naccess_logs {\n  buckets = 1\n}\n": "no argument buckets",
        "# In the aws_lb:\naccess_logs = 1\n": "access_logs is number",
        "# nothing\n": "nothing in it",
    }
    for text, words in mistakes.items():
        assert any(words in one for one in problems(text)), text


@pytest.mark.parametrize("name", TEXTS)
def test_the_provider_knows_every_argument(name: str) -> None:
    assert not list(problems(TEXTS[name]))


@pytest.mark.parametrize("name", TEXTS)
def test_names_stay_names(name: str) -> None:
    plain, hostile = parsed(TEXTS[name]), parsed(TEXTS[name], HOSTILE)
    assert skeleton(hostile) == skeleton(plain)


def skeleton(value: Any) -> Any:
    """The structure with no text in it: what is computed stays, what is a name goes."""
    match value:
        case dict():
            return {key: skeleton(one) for key, one in value.items() if key != "__comments__"}
        case list():
            return [skeleton(one) for one in value]
        case str():
            # In a text, what comes from an account opens no expression.
            return re.findall(r"(?<!\$)\$\{|(?<!%)%\{", value)
        case _:
            return value


def test_there_are_many() -> None:
    assert len(TEXTS) > 220
