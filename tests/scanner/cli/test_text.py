"""Tables for terminals: they fit, and what a target wrote in them stays text."""

from __future__ import annotations

import click
import pytest

from scanner.cli.text import mark, of_thing, table


@pytest.mark.parametrize("hostile", ["\x1b[2Jname", "\x1b[31mname\x1b]0;title\x07\x1b[0m", "a\nb", "\x9b2J"])
def test_escape_sequences_of_a_target_are_made_visible(hostile: str) -> None:
    shown = table(["name", "band"], [[hostile, mark("critical")]])
    assert mark("critical") in shown
    rest = shown.replace(mark("critical"), "")
    assert all(c.isprintable() for c in rest.replace("\n", ""))
    assert len(shown.splitlines()) == 3


def test_what_is_cut_is_what_may_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    row = ["host.ssh.root-login", "/a/" + "long/" * 9, "title " * 12, "dbb465baf8"]
    shown = click.unstyle(
        table(["check", "on", "good state (and why it is not known)", "id"], [row], wide=2, then=1)
    )
    assert max(map(len, shown.splitlines())) <= 61
    assert "host.ssh.root-login" in shown
    assert "dbb465baf8" in shown


@pytest.mark.parametrize(
    ("on", "shown"),
    [
        ("arn:aws:sqs:eu-west-1:111122223333:orders", "sqs orders eu-west-1"),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db", "secretsmanager secret:db eu-west-1"),
        ("arn:aws:s3:::customer-export", "s3 customer-export eu-west-1"),
        ("i-0abc", "i-0abc eu-west-1"),
        ("arn:of:a:file", "arn:of:a:file eu-west-1"),
    ],
)
def test_an_arn_is_named_by_what_tells_it_apart(on: str, shown: str) -> None:
    assert of_thing("eu-west-1", on) == shown


def test_a_long_name_keeps_both_ends() -> None:
    shown = of_thing("", "arn:aws:sqs:eu-west-1:111122223333:" + "long-" * 20 + "end")
    assert shown.startswith("sqs long-")
    assert shown.endswith("-end")
    assert len(shown) == 44
