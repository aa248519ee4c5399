"""The commands of the repairs: the shell reads them, and AWS knows every operation and parameter."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from checks import Language
from checks.catalogue import load
from checks.fix import fill, places

CHECKS = {name: check for name, check in load().checks.items() if name.startswith("cloud.")}
SESSION = botocore.session.get_session()
HOSTILE = "x'; touch /tmp/owned; echo '$(id)`id`"
GLOBAL = {"region", "query", "output", "max-results", "max-items", "group-names", "cli-input-json"}
KINDS = ("user", "group", "role")


def commands() -> Iterator[tuple[str, str]]:
    for name, check in CHECKS.items():
        yield name, check.fix.verify
        for snippet in check.fix.snippets:
            if snippet.language is Language.AWS_CLI:
                yield name, snippet.do
                if snippet.undo:
                    yield name, snippet.undo


def filled(text: str, value: str, kind: str = "user") -> str:
    return fill(text, {**dict.fromkeys(places(text), value), "kind": kind}, Language.AWS_CLI)


@pytest.mark.parametrize(("name", "text"), list(commands()))
def test_the_shell_reads_it(name: str, text: str) -> None:
    for value in ("i-0abc", HOSTILE):
        done = subprocess.run(
            ["sh", "-n"], input=filled(text, value), capture_output=True, text=True, timeout=10, check=False
        )
        assert done.returncode == 0, (name, done.stderr)


def calls(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each `aws SERVICE OPERATION` of a script with its options."""
    flat = filled(text, "i-0abc").replace("\\\n", " ")
    for line in re.split(r"[\n;|]|&&|\$\(|\)", flat):
        if line.lstrip().startswith("#"):
            continue
        found = re.search(r"\baws\s+([a-z0-9]+)\s+([a-z-]+)(.*)", line)
        if found:
            options = re.findall(r"(?<!\S)--([a-z0-9-]+)", found[3])
            yield found[1], found[2], options


def test_aws_knows_every_call() -> None:
    seen = 0
    for name, text in commands():
        for kind in KINDS if "@{kind}" in text else ("user",):
            for service, operation, options in calls(text.replace("@{kind}", kind)):
                if operation == "wait":
                    continue
                model = SESSION.get_service_model(
                    {"s3api": "s3", "configservice": "config"}.get(service, service)
                )
                known = {xform_name(one).replace("_", "-"): one for one in model.operation_names}
                assert operation in known, (name, service, operation)
                shape = model.operation_model(known[operation]).input_shape
                members = {xform_name(one).replace("_", "-") for one in (shape.members if shape else {})}
                for option in options:
                    # The CLI takes a boolean both ways, and knows --ingress for Egress=false.
                    plain = option.removeprefix("no-")
                    # Some it names otherwise than the API does.
                    more = {"ingress", "recording-group", "kubernetes-version", "notification-endpoint"}
                    assert {option, plain} & (members | GLOBAL | more), (name, operation, option)
                seen += 1
    assert seen > 60


def test_every_check_has_its_repair() -> None:
    for name, check in CHECKS.items():
        fix = check.fix
        assert fix.action, name
        assert fix.undo, name
        assert check.why.endswith("."), name
        for snippet in fix.snippets:
            if snippet.language is Language.AWS_CLI and "lookup-events" not in snippet.do:
                assert snippet.undo, name


def test_every_example_value_is_quoted() -> None:
    for name, text in commands():
        if places(text) - {"kind"}:
            assert shlex.quote(HOSTILE) in filled(text, HOSTILE), name
