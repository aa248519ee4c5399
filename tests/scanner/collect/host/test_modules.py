"""Modules of the kernel: which rule holds for one, and where it comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checks.facts.host.modules import KernelModule, KernelModules
from checks.host.kernel_modules import MODULES
from scanner.collect.host.modules import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

END = "locked\t0\nsigned\tN\nlockdown\t[none] integrity confidentiality\n"
ETC, LIB = "/etc/modprobe.d", "/lib/modprobe.d"


def read(text: str) -> KernelModules:
    [fact] = parse(text).facts
    assert isinstance(fact, KernelModules)
    return fact


def module(name: str, *lines: str, head: str = "presence\tread\nloads\tyes\n") -> KernelModule:
    found = read(head + "".join(f"{line}\n" for line in lines) + END)
    assert [one.name for one in found.modules] == list(MODULES)
    return next(one for one in found.modules if one.name == name)


def test_presence() -> None:
    assert module("udf", "present\tkernel/fs/udf/udf.ko.xz").presence == "file"
    assert module("usb_storage", "present\tkernel/drivers/usb/storage/usb-storage.ko").presence == "file"
    assert module("hfs", "present\tkernel/fs/hfsplus/hfsplus.ko").presence == "absent"
    assert module("udf", "builtin\t/udf.ko").presence == "builtin"
    assert module("udf", "active\tudf") == KernelModule("udf", "builtin", loaded=True, rule="", file="")
    assert module("sctp", "present\tnet/sctp.ko", "loaded\tsctp", "active\tsctp").presence == "file"
    assert module("udf", head="presence\tunread\nloads\tyes\n").presence == "unread"
    assert module("udf", head="presence\tnone\nloads\tno\n").presence == "absent"


def rule(*lines: str) -> tuple[str, str]:
    one = module("usb_storage", *lines)
    return one.rule, one.file


def test_the_first_install_line_holds() -> None:
    blocked = f"rule\t{ETC}/b.conf\tinstall\tusb-storage\tnothing"
    other = f"rule\t{ETC}/a.conf\tinstall\tusb_storage\tsomething"
    assert rule(f"file\t{ETC}/b.conf", blocked) == ("blocked", f"{ETC}/b.conf")
    assert rule(f"file\t{ETC}/a.conf", f"file\t{ETC}/b.conf", other, blocked) == ("", "")
    assert rule(f"file\t{ETC}/b.conf", blocked.replace("usb-storage", "usb*")) == ("blocked", f"{ETC}/b.conf")


def test_a_name_in_an_earlier_folder_hides_a_later_one() -> None:
    files = [f"file\t{ETC}/a.conf", f"file\t{LIB}/a.conf"]
    assert rule(*files, f"rule\t{LIB}/a.conf\tinstall\tusb-storage\tnothing") == ("", "")
    assert rule(files[1], f"rule\t{LIB}/a.conf\tinstall\tusb-storage\tnothing")[0] == "blocked"


def test_a_blacklist_is_weaker_than_a_block() -> None:
    listed = f"rule\t{ETC}/a.conf\tblacklist\tusb-storage\tnothing"
    assert rule(f"file\t{ETC}/a.conf", listed) == ("blacklisted", f"{ETC}/a.conf")
    assert rule("rule\t/proc/cmdline\tinstall\tusb_storage\tnothing") == ("blocked", "/proc/cmdline")


def test_a_file_that_may_not_be_read_may_hold_the_rule() -> None:
    assert rule(f"file\t{ETC}/a.conf", f"unread\t{ETC}/a.conf") == ("unread", f"{ETC}/a.conf")


@pytest.mark.parametrize(
    ("locked", "signed", "lockdown", "expected"),
    [
        ("1", "N", "[none] integrity", (True, False, "none")),
        ("0", "Y", "none [integrity] confidentiality", (False, True, "integrity")),
        ("", "", "", (False, False, "")),
    ],
)
def test_locks(locked: str, signed: str, lockdown: str, expected: tuple[bool, bool, str]) -> None:
    found = read(f"presence\tread\nloads\tyes\nlocked\t{locked}\nsigned\t{signed}\nlockdown\t{lockdown}\n")
    assert (found.locked, found.signed_only, found.lockdown) == expected


@pytest.mark.parametrize(
    "text", ["", END, "presence\tread\nloads\tyes\n", f"presence\tread\nloads\tmaybe\n{END}", f"noise\n{END}"]
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_modules(tmp_path: Path, shell: str) -> None:
    # The folder of modules may not exist on this machine, and nothing may be made there.
    script = PROBE.script.replace("/lib/modules", f"{tmp_path}/modules").replace(
        "/proc/modules", f"{tmp_path}/loaded"
    )
    plant = f"""
    mkdir -p {tmp_path}/modules/$(uname -r)
    printf 'kernel/fs/udf/udf.ko.xz: kernel/lib/crc.ko.xz\\nkernel/x/hfs.ko: kernel/fs/cramfs/cramfs.ko\\n' \\
      >{tmp_path}/modules/$(uname -r)/modules.dep
    printf 'kernel/drivers/usb/storage/usb-storage.ko\\n' >{tmp_path}/modules/$(uname -r)/modules.builtin
    printf 'sctp 1 0 - Live 0x0\\nudf_other 1 0 - Live 0x0\\n' >{tmp_path}/loaded
    mount -t tmpfs tmpfs /usr/lib/modprobe.d
    printf 'install udf \\\\\\n  /bin/false\\n# install rds /bin/true\\n' >/usr/lib/modprobe.d/a.conf
    printf 'install hfs* /sbin/modprobe --token=hunter2 hfs\\n' >>/usr/lib/modprobe.d/a.conf
    printf 'blacklist tipc\\nblacklist pcspkr\\n' >/usr/lib/modprobe.d/b.conf
    ln -s /dev/null /usr/lib/modprobe.d/c.conf
    """
    section = answer(replace(PROBE, script=script), plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    found = {one.name: one for one in read(section.text).modules}
    assert read(section.text).loads
    assert (found["udf"].presence, found["udf"].rule, found["udf"].loaded) == ("file", "blocked", False)
    assert (found["hfs"].presence, found["hfs"].rule) == ("file", "")
    assert found["cramfs"].presence == "absent"
    assert found["usb_storage"].presence == "builtin"
    assert found["sctp"].loaded
    assert found["tipc"].rule == "blacklisted"
    assert found["rds"].rule == ""
