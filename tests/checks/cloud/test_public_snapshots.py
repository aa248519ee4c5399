"""The repair of a public snapshot, run by a shell: its undo leads back to where it began."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.cloud.ebs import public_snapshots
from checks.fix import Language, fill

AWS = r"""#!/bin/sh
# Keeps what the account would keep: the block of the region, and who may use the snapshot.
echo "$*" >> "$HERE/calls"
case "$*" in
*get-snapshot-block-public-access-state*) cat "$HERE/block" ;;
*disable-snapshot-block-public-access*) echo unblocked > "$HERE/block" ;;
*enable-snapshot-block-public-access*) echo "$*" | sed 's/.*--state //' > "$HERE/block" ;;
*modify-snapshot-attribute*--operation-type\ remove*) echo nobody > "$HERE/$6" ;;
*modify-snapshot-attribute*--operation-type\ add*)
  # A region that blocks new sharing refuses it.
  grep -q unblocked "$HERE/block" || exit 254
  echo all > "$HERE/$6" ;;
esac
"""


class Region:
    """A region in a directory, with a command `aws` that keeps its state there."""

    def __init__(self, home: Path, block: str) -> None:
        self.home = home
        (home / "bin").mkdir()
        (home / "bin" / "aws").write_text(AWS)
        (home / "bin" / "aws").chmod(0o755)
        (home / "work").mkdir()
        (home / "block").write_text(f"{block}\n")

    def run(self, script: str, snapshot: str) -> int:
        """The script as somebody pastes it, for that snapshot; its exit code."""
        text = fill(script, {"region": "eu-west-1", "snapshot": snapshot}, Language.AWS_CLI)
        found = {"PATH": f"{self.home / 'bin'}:/usr/bin:/bin", "HERE": str(self.home)}
        done = subprocess.run(
            ["sh"], input=text, cwd=self.home / "work", env=found, text=True, timeout=10, check=False
        )
        return done.returncode

    def state(self, *snapshots: str) -> list[str]:
        """The block of the region, then who may use each snapshot."""
        return [(self.home / name).read_text().strip() for name in ("block", *snapshots)]


@pytest.fixture
def scripts() -> tuple[str, str]:
    [one] = [s for s in public_snapshots.fix.snippets if s.language is Language.AWS_CLI]
    return one.do, one.undo


@pytest.mark.parametrize("before", ["unblocked", "block-new-sharing"])
def test_the_undo_restores_what_was(tmp_path: Path, scripts: tuple[str, str], before: str) -> None:
    do, undo = scripts
    region = Region(tmp_path, before)
    (tmp_path / "snap-1").write_text("all\n")
    assert region.run(do, "snap-1") == 0
    assert region.state("snap-1") == ["block-all-sharing", "nobody"]
    assert region.run(undo, "snap-1") == 0
    assert region.state("snap-1") == [before, "all"]


def test_a_second_snapshot_does_not_overwrite_the_state_before(
    tmp_path: Path, scripts: tuple[str, str]
) -> None:
    do, undo = scripts
    region = Region(tmp_path, "unblocked")
    assert [region.run(do, name) for name in ("snap-1", "snap-2")] == [0, 0]
    assert region.run(undo, "snap-2") == 0
    assert region.state("snap-1", "snap-2") == ["unblocked", "nobody", "all"]


def test_without_the_saved_state_the_undo_changes_nothing(tmp_path: Path, scripts: tuple[str, str]) -> None:
    region = Region(tmp_path, "block-all-sharing")
    assert region.run(scripts[1], "snap-1") != 0
    assert region.state() == ["block-all-sharing"]
    assert not (tmp_path / "calls").exists()


def test_the_undo_warns(scripts: tuple[str, str]) -> None:
    assert "every AWS account" in scripts[1].splitlines()[0]
    assert "every AWS account" in public_snapshots.fix.undo
