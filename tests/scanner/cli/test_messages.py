"""What stands in the terminal: one line, which names the target once and says what helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from scanner.cli.feeds import feeds
from scanner.cli.scan import collect, scan
from scanner.cli.text import of_target
from scanner.collect.collector import CollectError, Failure
from scanner.intel.importing import form_of
from scanner.intel.unpack import FeedError, Source


def test_an_error_says_what_is_needed_and_the_target_once() -> None:
    error = CollectError(Failure.AUTHENTICATION, "web:22: the key was refused", "the key in authorized_keys")
    assert of_target("web", error.said) == "web:22: the key was refused; needed: the key in authorized_keys"
    assert of_target("web-1", "web:22: refused") == "web-1: web:22: refused"
    assert CollectError(Failure.SILENT, "x: silent").said == "x: silent"


def test_the_help_of_scan_lists_the_kinds_of_target_line_by_line() -> None:
    shown = CliRunner().invoke(scan, ["--help"]).output
    assert "\\b" not in shown
    assert "user@host  ssh://u@h:22     a host over SSH\n" in shown


def test_a_feed_that_is_missing_says_which_command_brings_it(tmp_path: Path) -> None:
    shown = CliRunner().invoke(feeds, ["status", "--feeds", str(tmp_path / "f.db")]).output
    assert "kev is missing: " in shown
    assert "; bartizan feeds update --only kev\n" in shown


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(FeedError, match=r"^cut\.gz: it is damaged"):
        form_of(Source(file))


def test_a_collection_that_saw_nothing_is_no_success(tmp_path: Path) -> None:
    words = ["root@127.0.0.1:1", "--i-am-authorized", "--ssh-key", str(tmp_path / "none")]
    done = CliRunner().invoke(collect, [*words, "--store", str(tmp_path / "b.db")], standalone_mode=False)
    assert done.return_value == 3, done.output
    assert "none of 1 targets was seen" in done.output
