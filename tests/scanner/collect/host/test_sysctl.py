"""Settings of the kernel, and what the files come to: order, patterns, folders that hide each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.kernel import PlannedSysctl, SysctlFiles, Sysctls
from checks.host.kernel import READ_BESIDES, SETTINGS
from scanner.collect.host.probe import ParseError
from scanner.collect.host.sysctl import PROBE, parse
from tests.lab.fragment import answer
from tests.lab.hosts import lab

NAMES = sorted({*(setting.name for setting in SETTINGS), *READ_BESIDES})
ALL = "".join(f"value\t{name}\t0\n" for name in NAMES)
NAME = "net.ipv4.conf.all.rp_filter"
ETC, LIB = "/etc/sysctl.d", "/usr/lib/sysctl.d"


def read(text: str) -> tuple[Sysctls, SysctlFiles]:
    running, files = parse(text).facts
    assert isinstance(running, Sysctls)
    assert isinstance(files, SysctlFiles)
    return running, files


def planned(*lines: str, reader: str = "systemd") -> PlannedSysctl | None:
    told = [f"file\t{line.split(chr(9))[0]}" for line in lines]
    told += [f"line\t{line}" for line in lines]
    _, files = read(ALL + f"reader\t{reader}\n" + "\n".join(dict.fromkeys(told)))
    return files.planned.get(NAME)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{ETC}/a.conf\t{NAME}\t1"], ("1", f"{ETC}/a.conf")),
        ([f"{ETC}/a.conf\t{NAME}\t1", f"{ETC}/b.conf\t{NAME}\t2"], ("2", f"{ETC}/b.conf")),
        ([f"{ETC}/a.conf\t{NAME}\t1", f"{LIB}/z.conf\t{NAME}\t0"], ("0", f"{LIB}/z.conf")),
        ([f"{ETC}/a.conf\t{NAME}\t1", f"{LIB}/a.conf\t{NAME}\t0"], ("1", f"{ETC}/a.conf")),
        ([f"{ETC}/a.conf\tnet.ipv4.conf.*.rp_filter\t2"], ("2", f"{ETC}/a.conf")),
        (
            [f"{ETC}/a.conf\t{NAME}\t1", f"{ETC}/b.conf\tnet.ipv4.conf.*.rp_filter\t2"],
            ("1", f"{ETC}/a.conf"),
        ),
        ([f"{ETC}/a.conf\t-{NAME}\t1"], ("1", f"{ETC}/a.conf")),
    ],
)
def test_which_line_holds(lines: list[str], expected: tuple[str, str]) -> None:
    assert planned(*lines) == PlannedSysctl(*expected)


def test_a_name_can_be_taken_out_of_a_pattern() -> None:
    lines = [f"{LIB}/a.conf\tnet.ipv4.conf.*.rp_filter\t2", f"{LIB}/a.conf\t-{NAME}\t"]
    assert planned(*lines) is None


def test_only_some_readers_know_the_main_file() -> None:
    lines = [f"{ETC}/a.conf\t{NAME}\t1", f"/etc/sysctl.conf\t{NAME}\t0"]
    assert planned(*lines) == PlannedSysctl("1", f"{ETC}/a.conf")
    assert planned(*lines, reader="other") == PlannedSysctl("0", "/etc/sysctl.conf")


def test_what_the_packet_filter_loads_comes_last() -> None:
    lines = [f"/etc/ufw/sysctl.conf\t{NAME}\t1", f"{ETC}/zz.conf\t{NAME}\t0"]
    assert planned(*lines) == PlannedSysctl("1", "/etc/ufw/sysctl.conf")


def test_defaults_that_the_configuration_of_the_kernel_tells() -> None:
    _, silent = read(f"{ALL}reader\tsystemd\n")
    _, told = read(f"{ALL}reader\tsystemd\nconfig\tread\nconfig\tCONFIG_BPF_UNPRIV_DEFAULT_OFF\n")
    assert silent.built_in == {}
    assert told.built_in == {
        "kernel.unprivileged_bpf_disabled": "2",
        "kernel.dmesg_restrict": "0",
        "dev.tty.ldisc_autoload": "0",
    }


def test_files_that_may_not_be_read_are_named() -> None:
    _, files = read(f"{ALL}reader\tsystemd\nfile\t{ETC}/a.conf\nunread-file\t{ETC}/a.conf\n")
    assert files.unread == (f"{ETC}/a.conf",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ALL,
        ALL.replace(f"value\t{NAME}\t0\n", "") + "reader\tsystemd\n",
        f"{ALL}reader\tmaybe\n",
        f"{ALL}reader\tsystemd\nvalue\t{NAME}\n",
        f"{ALL}reader\tsystemd\nline\t{ETC}/a.conf\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_files_and_real_values(tmp_path: Path, shell: str) -> None:
    plant = f"""
    mount -t tmpfs tmpfs {ETC}
    mount -t tmpfs tmpfs {LIB}
    printf '# c\\n;c\\n\\n net/ipv4/conf/all/rp_filter=1  \\nkernel.domainname = hunter2\\n' >{ETC}/50-a.conf
    printf '%s = 0\\n' {NAME} >{LIB}/50-a.conf
    printf -- '-net.ipv4.conf.*.log_martians = 1\\n-net.ipv4.conf.default.log_martians\\n' >{LIB}/10-b.conf
    printf 'kernel.kptr_restrict = 2' >{LIB}/20-c.conf
    printf 'kernel.kptr_restrict = 1' >{LIB}/90-d.conf
    ln -s /dev/null {ETC}/90-d.conf
    """
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    running, files = read(section.text)
    assert running.unread == ()
    for name, value in running.values.items():
        assert Path("/proc/sys", name.replace(".", "/")).read_text().split() == value.split()
    for name in running.absent:
        assert not Path("/proc/sys", name.replace(".", "/")).exists()
    assert files.planned[NAME] == PlannedSysctl("1", f"{ETC}/50-a.conf")
    assert files.planned["net.ipv4.conf.all.log_martians"] == PlannedSysctl("1", f"{LIB}/10-b.conf")
    assert "net.ipv4.conf.default.log_martians" not in files.planned
    assert files.planned["kernel.kptr_restrict"] == PlannedSysctl("2", f"{LIB}/20-c.conf")


@pytest.mark.real
def test_interfaces_that_differ_are_told() -> None:
    plant = """
    ip link add v.7 type veth peer name w
    for way in ipv4 ipv6; do for scope in all default eth0; do
      sysctl -qw net.$way.conf.$scope.accept_redirects=0
    done; done
    sysctl -qw net/ipv6/conf/v.7/accept_redirects=1 net.ipv4.conf.eth0.send_redirects=1
    """
    with lab() as net:
        found = net.host("bookworm", plant=plant).look(frozenset({Sysctls})).get(Sysctls)
    assert isinstance(found, Sysctls)
    assert found.values["net.ipv6.conf.v/7.accept_redirects"] == "1"
    assert found.values["net.ipv4.conf.eth0.send_redirects"] == "1"
    assert "net.ipv6.conf.eth0.accept_redirects" not in found.values
    assert not [name for name in found.values if ".conf.lo." in name]
