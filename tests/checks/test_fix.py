"""Fixes: hours, places, and names of a target that try to get out of their quotes."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.fix import Effort, Fix, Language, Snippet, fill, fix_key, places, printable, quote, render_fix

HOSTILE = (
    "",
    " ",
    "-rf",
    "'; touch x; '",
    '"$(id)"',
    "`id`",
    "a\nrm -rf /",
    "a\r\nb",
    "# no comment",
    "\\",
    "\\n",
    "a\\",
    "{{ lookup('pipe', 'id') }}",
    "{% for x in y %}",
    "{# #}",
    '${file("/etc/passwd")}',
    "$${x}",
    "$$${x}",
    "%{ if true }",
    "%%{x}",
    "!unsafe x",
    "!!python/object/apply:os.system [id]",
    "*alias",
    "&anchor",
    "- item",
    "key: value",
    "no",
    "0x1f",
    "22:22",
    "~",
    "\x00\x1b[31m",
    "\u202egpj.exe",
    "\u2028",
    "\u200b",
    "\ud800",
    "😀 é 漢",
    "<script>",
    "@{on}",
    "*",
    "~root",
    "!!",
    "%s%n",
)
NAMES = (
    st.sampled_from(HOSTILE) | st.text("'\"\\$`{}%#!&;|<>*?~ \t\n@()aé😀", max_size=12) | st.text(max_size=20)
)
steady = settings(deadline=None, max_examples=60, derandomize=True)


@given(st.lists(NAMES, min_size=1, max_size=40))
@example(list(HOSTILE))
@steady
def test_a_shell_gives_every_name_back_as_one_word(names: list[str]) -> None:
    for language in (Language.SHELL, Language.AWS_CLI):
        script = "printf '%s\\n' " + " ".join(quote(name, language) for name in names)
        run = subprocess.run(["/bin/sh", "-c", script], capture_output=True, timeout=20, check=True)
        assert run.stderr == b""
        assert run.stdout.decode().split("\n")[:-1] == [printable(name) for name in names]


@given(NAMES)
@steady
def test_a_name_never_leaves_the_comment_it_stands_in(name: str) -> None:
    text = fill("true   # expected: @{want}", {"want": name}, Language.SHELL)
    assert "\n" not in text
    run = subprocess.run(["/bin/sh", "-c", f"{text}\necho done"], capture_output=True, timeout=20, check=True)
    assert run.stdout == b"done\n"


class _Ansible(yaml.SafeLoader):
    """YAML as Ansible reads it: `!unsafe` is text that no template is looked for in."""


class _Unsafe(str):
    __slots__ = ()


def _unsafe(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> _Unsafe:
    return _Unsafe(loader.construct_scalar(node))


_Ansible.add_constructor("!unsafe", _unsafe)


@given(NAMES)
@example("😀")
@example("{{ x }}")
@steady
def test_ansible_gives_every_name_back_and_templates_none(name: str) -> None:
    text = fill("- name: x\n  path: @{on}\n  list: [@{on}, @{on}]\n", {"on": name}, Language.ANSIBLE)
    [task] = yaml.load(text, Loader=_Ansible)
    wanted = printable(name)
    assert task == {"name": "x", "path": wanted, "list": [wanted, wanted]}
    if any(mark in wanted for mark in ("{{", "{%", "{#")):
        assert isinstance(task["path"], _Unsafe)


def _hcl(text: str) -> str:
    """What HCL reads from a quoted template, after its specification; a live `${` or `%{` is an error."""
    assert (text[0], text[-1]) == ('"', '"')
    escapes = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    found: list[str] = []
    at, body = 0, text[1:-1]
    while at < len(body):
        if body[at] == "\\":
            if body[at + 1] in "uU":
                size = 4 if body[at + 1] == "u" else 8
                found.append(chr(int(body[at + 2 : at + 2 + size], 16)))
                at += 2 + size
            else:
                found.append(escapes[body[at + 1]])
                at += 2
        elif body.startswith(("$${", "%%{"), at):
            found.append(body[at + 1 : at + 3])
            at += 3
        else:
            assert not body.startswith(("${", "%{", '"', "\n"), at), "the name is live"
            found.append(body[at])
            at += 1
    return "".join(found)


@given(NAMES)
@example("😀")
@settings(deadline=None, max_examples=300, derandomize=True)
def test_terraform_gives_every_name_back_and_interpolates_none(name: str) -> None:
    assert _hcl(quote(name, Language.TERRAFORM)) == printable(name)


@given(st.text())
@settings(deadline=None, max_examples=300, derandomize=True)
def test_what_cannot_be_seen_is_made_visible_and_the_rest_is_kept(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    assert printable(shown) == shown


def test_prose_is_not_quoted_but_holds_no_control_characters() -> None:
    assert quote("a 'b'\x1b", None) == "a 'b'\\u001b"


# --- places ---


def test_a_value_is_not_looked_into_for_places() -> None:
    assert fill("@{on} @{want}", {"on": "@{want}", "want": "x"}) == "@{want} x"


def test_a_place_without_a_value_stays_visible() -> None:
    assert fill("rm @{path}", {}, Language.SHELL) == "rm <path>"


def test_places_are_found() -> None:
    assert places("a @{on} b @{region} @{on} @{} ${x} @on") == {"on", "region"}


FIX = Fix(
    do="Close @{on}. Then tell @{owner}.",
    verify="ss -ltn | grep @{on}   # nothing",
    effort=Effort(setup=1, each=0.5),
    undo="Open @{on}",
    snippets=(Snippet(Language.TERRAFORM, "port = @{on}", undo="x = @{on}"),),
    key="ports @{target}",
)


def test_every_part_of_a_fix_is_filled_for_the_language_it_is_in() -> None:
    text = render_fix(FIX, {"on": "a 'b'", "owner": "IT"})
    assert text.do == "Close a 'b'. Then tell IT."
    assert text.verify == "ss -ltn | grep 'a '\"'\"'b'\"'\"''   # nothing"
    assert text.undo == "Open a 'b'"
    assert text.snippets == (Snippet(Language.TERRAFORM, "port = \"a 'b'\"", undo="x = \"a 'b'\""),)
    assert text.effort == FIX.effort


def test_the_headline_is_the_action_or_the_first_sentence() -> None:
    assert render_fix(FIX, {"on": "x"}).action == "Close x"
    named = Fix(do=FIX.do, verify="", effort=FIX.effort, action="Shut @{on}")
    assert render_fix(named, {"on": "x"}).action == "Shut x"


def test_findings_that_one_change_closes_have_one_key() -> None:
    assert fix_key(FIX, "host.a.b", {"target": "web-1"}) == "ports web-1"
    assert fix_key(Fix(do="x", verify="", effort=FIX.effort), "host.a.b", {"target": "web-1"}) == "host.a.b"


@pytest.mark.parametrize(("assets", "likely"), [(0, 1.0), (1, 1.5), (14, 8.0)])
def test_hours_are_set_up_once_and_then_per_asset(assets: int, likely: float) -> None:
    assert Effort(setup=1, each=0.5).hours(assets) == pytest.approx((likely * 0.6, likely, likely * 2))
