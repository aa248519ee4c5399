"""The whole path, real: one command over this machine, its network, an SSH host and an AWS account."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from reports.export.native import finding_schema
from tests.lab.aws import CANARY, environment, plant, running_moto
from tests.lab.browser import Browser
from tests.lab.services import redis
from tests.lab.ssh import running_sshd

pytestmark = pytest.mark.real

BARTIZAN = Path(sys.executable).with_name("bartizan")
KEYS = frozenset(
    [
        "id",
        "check",
        "title",
        "target",
        "kind",
        "asset",
        "on",
        "region",
        "outcome",
        "severity",
        "score",
        "clock",
        "due",
        "saw",
        "want",
        "evidence",
        "fix",
        "controls",
        "first_seen",
        "status",
    ]
)


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Lit:
    """A scan of all three kinds, and how to ask for more of it."""

    folder: Path
    env: dict[str, str]
    words: tuple[str, ...]
    scan: Done

    def bartizan(self, *words: str) -> Done:
        """Another command on the same store."""
        return command(self.env, *words)

    def findings(self, *words: str) -> list[dict[str, object]]:
        """The findings as scripts read them."""
        done = self.bartizan("findings", "--format", "jsonl", *words)
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]


def command(env: dict[str, str], *words: str) -> Done:
    made = subprocess.run(
        [str(BARTIZAN), *words], capture_output=True, text=True, env=env, timeout=180, check=False
    )
    return Done(made.returncode, made.stdout, made.stderr)


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lit]:
    folder = tmp_path_factory.mktemp("first-light")
    with (
        running_moto() as moto,
        running_sshd(folder, "PermitRootLogin yes\nMaxAuthTries 20\n") as server,
        redis(folder) as port,
    ):
        plant(moto.url)
        env = {**os.environ, **environment(moto.url), "BARTIZAN_STORE": str(folder / "b.db")}
        ways = ("--ssh-key", str(server.key), "--known-hosts", str(server.known_hosts))
        words = ("local", "127.0.0.1", f"{server.user}@127.0.0.1:{server.port}", "aws", "--i-am-authorized")
        ports = ("--ports", f"22,{server.port},{port}")
        out = ("--out", str(folder / "report"))
        scan = command(env, "scan", *words, *ways, *ports, *out)
        yield Lit(folder, env, (*words, *ways, *ports, *out), scan)


def test_one_command_sees_all_four_targets(lit: Lit) -> None:
    assert lit.scan.code == 0, lit.scan.err
    assert "Scan 1: 4 of 4 targets seen" in lit.scan.out
    assert "The 5 worst findings" in lit.scan.out
    assert lit.scan.out.rstrip().endswith("index.html")


def test_one_ranked_list_holds_failures_of_all_three_kinds(lit: Lit) -> None:
    found = lit.findings("--outcome", "fail")
    assert {one["kind"] for one in found} == {"host", "network", "aws"}
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
    checks = {one["check"] for one in found}
    assert {"host.ssh.root-login", "network.databases.redis-login", "cloud.s3.public-access"} <= checks


def test_a_finding_has_the_keys_that_scripts_rely_on(lit: Lit) -> None:
    validator = jsonschema.Draft202012Validator(finding_schema())
    for one in lit.findings():
        assert one.keys() >= KEYS
        validator.validate(one)
        assert one["outcome"] != "unknown" or one["reason"]
        assert one["outcome"] != "fail" or (one["score"] is not None and one["evidence"])


def test_the_local_machine_its_loopback_and_its_ssh_view_are_one_asset(lit: Lit) -> None:
    assets = {one["asset"] for one in lit.findings("--kind", "host")}
    assert len(assets) == 1
    on_loopback = {one["asset"] for one in lit.findings("--check", "network.databases")}
    assert on_loopback == assets


def test_as_root_every_question_about_ssh_is_answered(lit: Lit) -> None:
    assert [one for one in lit.findings("--check", "host.ssh") if one["outcome"] == "unknown"] == []


def test_explain_shows_evidence_score_clock_and_fix(lit: Lit) -> None:
    [one] = lit.findings("--check", "network.databases.redis-login", "--outcome", "fail")
    first = lit.bartizan("explain", str(one["id"])[:12])
    assert first.code == 0, first.err
    assert lit.bartizan("explain", str(one["id"])).out == first.out
    for part in ("Evidence", "PONG", "Score: R ", "Clock: ", "Fix: ", "most useful change"):
        assert part in first.out


def test_the_report_is_private_and_offline(lit: Lit) -> None:
    pages = sorted((lit.folder / "report").iterdir())
    assert [p.name for p in pages] == ["executive.html", "index.html", "workbook.html"]
    for page in pages:
        assert page.stat().st_mode & 0o077 == 0
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page.read_text())


def test_the_pages_open_in_a_browser_without_a_complaint(lit: Lit) -> None:
    with Browser() as browser:
        for name in ("index", "executive", "workbook"):
            tab = browser.open(lit.folder / "report" / f"{name}.html", width=1280, height=900)
            assert tab.complaints() == []
            tab.close()


def test_a_report_written_again_is_the_same_to_the_byte(lit: Lit) -> None:
    again = lit.folder / "again"
    assert lit.bartizan("report", "1", "--out", str(again)).code == 0
    for page in (lit.folder / "report").iterdir():
        assert (again / page.name).read_bytes() == page.read_bytes()


def test_judging_again_offline_gives_the_same_failures_and_stores_nothing(lit: Lit) -> None:
    offline = {k: v for k, v in lit.env.items() if not k.startswith("AWS_")}
    done = command(offline, "assess", "1", "--format", "jsonl")
    assert done.code == 0, done.err
    failing = {o["id"] for o in map(json.loads, done.out.splitlines()) if o["outcome"] == "fail"}
    assert failing == {one["id"] for one in lit.findings("1", "--outcome", "fail")}
    assert len(json.loads(lit.bartizan("scans", "list", "--json").out)) >= 1


def test_the_ledger_adds_up_and_the_chain_holds(lit: Lit) -> None:
    [scan] = [s for s in json.loads(lit.bartizan("scans", "list", "--json").out) if s["number"] == 1]
    coverage = scan["coverage"]
    assert coverage["planned"] == coverage["done"] + coverage["failed"] + coverage["not_scanned"] == 4
    assert len(scan["head"]) == 64
    assert "--i-am-authorized" in scan["authorisation"]


def test_no_secret_is_in_the_store_or_the_report(lit: Lit) -> None:
    with sqlite3.connect(lit.folder / "b.db") as raw:
        stored = [zlib.decompress(row[0]) for row in raw.execute("select data from artefacts")]
        payloads = [row[0] for row in raw.execute("select payload from findings")]
    assert stored
    assert payloads
    texts = [p.read_bytes() for p in (lit.folder / "report").iterdir()]
    done = lit.bartizan("findings", "--format", "jsonl").out.encode()
    for text in (*texts, *stored, *payloads, done):
        assert CANARY.encode() not in text
        assert b"PRIVATE KEY" not in text


def test_a_second_scan_keeps_ids_and_dates_and_finds_nothing_new(lit: Lit) -> None:
    """Save where one of them said that it was stopped: a cold disk ends a search of the machine early."""
    first = {str(one["id"]): one for one in lit.findings("1")}
    before = {name: one for name, one in first.items() if one["outcome"] == "fail"}
    done = lit.bartizan("scan", *lit.words)
    assert done.code == 0, done.err
    second = {str(one["id"]): one for one in lit.findings()}
    after = {name: one for name, one in second.items() if one["outcome"] == "fail"}
    stopped = {
        one["check"]
        for one in (*first.values(), *second.values())
        if "was stopped after" in str(one["reason"])
    }
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    told = [(after[n], first.get(n)) for n in new] + [(before[n], second.get(n)) for n in gone]
    assert [(one, other) for one, other in told if one["check"] not in stopped] == []
    both = before.keys() & after.keys()
    assert {n: after[n]["first_seen"] for n in both} == {n: before[n]["first_seen"] for n in both}
    assert {n: one["status"] for n, one in after.items()} == {
        **dict.fromkeys(both, "open"),
        **dict.fromkeys(new, "new"),
    }
    assert {one["id"] for one in lit.findings("--new", "--outcome", "fail")} == new


def test_an_unreachable_host_keeps_its_failures_and_its_scan_fails_on_coverage(lit: Lit) -> None:
    """Runs last: the host is asked for under a port where nobody listens."""
    done = lit.bartizan("scan", "root@127.0.0.1:9", *lit.words[5:])
    assert done.code == 3
    assert "only 0 of 1 targets were seen" in done.err
    outcomes = {one["outcome"] for one in lit.findings()}
    assert "pass" not in outcomes
    assert "unknown" in outcomes
