"""The scope file: what it may say, where each mistake is, and that it never holds a secret."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.text import TextError
from checks.model import AssetValue
from scanner.scope import Scope, ScopeError, check_files, check_names, load_scope, read_scope, template

WHOLE = """\
version: 1
organisation: Example Ltd
authorisation: {by: "A. Admin, head of IT", reference: "order 17", until: 2026-12-31}
networks:
  - {name: office, cidrs: [10.0.0.0/24], zone: office, value: important, owner: IT, ports: top}
  - {name: edge, cidrs: [8.8.8.0/29, "2001:db8::/120"], zone: dmz, ports: [22, 443, "8000-8002"],
     vantage: outside, public: true}
hosts:
  - {name: web-1, address: 10.0.0.5, user: audit, key: "file:~/.ssh/audit", known_hosts: file:known}
  - {name: db-1, address: DB-1.example, port: 2222, key: "agent:", leads_to: [10.0.0.6]}
aws:
  - {name: prod, profile: prod, account: "012345678901", regions: [eu-central-1]}
local: {name: scanner, zone: office, value: low}
exclude: ["10.0.0.9", "10.0.0.128/25", host.example]
windows:
  - {days: [mon, tue], from: "22:00", to: "06:00", time_zone: Europe/Berlin}
blackouts:
  - {from: "12:00", to: "13:00"}
rate: {packets_per_second: 300, per_host: 30}
limits: {addresses: 1000, minutes: 90}
baselines: [{id: linux-server, profile: level-1}, {file: baselines/own.yaml}]
plugins: [bartizan-more]
budget_hours: 12.5
store: postgresql://bartizan@db/bartizan
"""


def whole() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(WHOLE.replace("until: 2026-12-31", 'until: "2026-12-31"'))
    return document


def test_all_that_a_scope_can_say() -> None:
    file = read_scope(WHOLE.encode(), "scope.yaml").file
    assert file.authorisation is not None
    assert file.authorisation.until == date(2026, 12, 31)
    assert file.networks[0].value is AssetValue.IMPORTANT
    assert file.networks[1].ports == (22, 443, 8000, 8001, 8002)
    assert [str(n) for n in file.networks[1].cidrs] == ["8.8.8.0/29", "2001:db8::/120"]
    assert file.hosts[1].address == "db-1.example"
    assert file.aws[0].account == "012345678901"
    assert [str(e) for e in file.exclude] == ["10.0.0.9/32", "10.0.0.128/25", "host.example"]
    assert file.windows is not None
    assert (file.windows[0].from_, file.windows[0].to) == (22 * 60, 6 * 60)
    assert file.budget_hours == 12.5
    assert file.baselines[1].file == "baselines/own.yaml"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version: 1", "version: 2", "1: version: one of 1 is expected, not 2"),
        ("version: 1\n", "", "version: missing"),
        ("organisation: Example Ltd", "organisation: ''", "2: organisation: at least 1 character"),
        ("organisation:", "organization:", "2: organization: unknown key; did you mean organisation?"),
        ("until: 2026-12-31", "until: 2026-02-30", "3: authorisation.until: there is no day 2026-02-30"),
        ("until: 2026-12-31", "until: soon", "3: authorisation.until: a date such as 2026-12-31"),
        ("cidrs: [10.0.0.0/24]", "cidrs: [10.0.0.1/24]", "5: networks.0.cidrs.0: 10.0.0.1/24: bits are set"),
        (
            "cidrs: [10.0.0.0/24]",
            "cidrs: [0.0.0.0/0]",
            "5: networks.0.cidrs.0: 0.0.0.0/0: the whole internet",
        ),
        ("cidrs: [10.0.0.0/24]", "cidrs: [10.0.0.0/7]", "33,554,432 addresses are more than 16,777,216"),
        ("cidrs: [10.0.0.0/24]", "cidrs: [224.0.0.0/24]", "never a target: multicast"),
        ("cidrs: [10.0.0.0/24]", "cidrs: []", "5: networks.0.cidrs: at least 1 entry"),
        ("cidrs: [10.0.0.0/24]", "cidrs: 10.0.0.0/24", "5: networks.0.cidrs: a list is expected"),
        ("cidrs: [10.0.0.0/24], ", "", "5: networks.0.cidrs: missing"),
        ("cidrs: [10.0.0.0/24]", "cidrs: [8.8.8.8]", "8.8.8.8/32 is public; say public: true"),
        ("cidrs: [10.0.0.0/24]", "cidrs: [8.8.8.0/29]", "8.8.8.0/29 is public"),
        ("public: true", "public: yes", "7: networks.1.public: true or false is expected, not 'yes'"),
        ("ports: top", "ports: tpo", "5: networks.0.ports: top, all, or a list"),
        ("ports: top", "ports: []", "5: networks.0.ports: top, all, or a list"),
        ("ports: top", "ports: [22:22]", "5: networks.0.ports.0: 22:22 can be read in two ways"),
        (
            "ports: top",
            'ports: ["22:22"]',
            "5: networks.0.ports: a port is a number from 1 to 65535, not 22:22",
        ),
        ("ports: top", "ports: [0]", "a port is a number from 1 to 65535, not 0"),
        ("ports: top", "ports: [65536]", "not 65536"),
        ("ports: top", 'ports: ["80-22"]', "runs backwards; write 22-80"),
        ("ports: top", "ports: [true]", "not True"),
        ("value: important", "value: importent", "did you mean important?"),
        (
            "vantage: outside",
            "vantage: offic",
            "7: networks.1.vantage: there is no vantage offic; did you mean office?",
        ),
        (
            "zone: office, value: important",
            "zone: [a], value: important",
            "5: networks.0.zone: text is expected, not a list",
        ),
        ("name: edge", "name: Office", "6: networks.1.name: Office is already the name of networks.0"),
        ("name: web-1", "name: office", "9: hosts.0.name: office is already the name of networks.0"),
        (
            "cidrs: [8.8.8.0/29,",
            "cidrs: [10.0.0.0/24,",
            "6: networks.1.cidrs.0: 10.0.0.0/24 is already in office",
        ),
        ("address: 10.0.0.5", "address: 10.0.0.300", "9: hosts.0.address: each number"),
        ("address: 10.0.0.5", "address: '127.1'", "9: hosts.0.address: an IPv4 address has four numbers"),
        ("address: 10.0.0.5", "address: wеb.example", "xn--"),
        ("address: 10.0.0.5", "address: 10", "9: hosts.0.address: an address or a host name in quotes"),
        ("address: 10.0.0.5", "address: 169.254.169.254", "metadata"),
        (
            "address: DB-1.example, port: 2222",
            "address: 10.0.0.5, port: 22",
            "10.0.0.5 port 22 is already web-1",
        ),
        ("port: 2222", "port: 0", "10: hosts.1.port: at least 1 is expected, not 0"),
        ("port: 2222", "port: 65536", "10: hosts.1.port: at most 65535 is expected"),
        ("port: 2222", "port: '2222'", "10: hosts.1.port: a whole number is expected, not '2222'"),
        ("user: audit", "user: -oProxy", "9: hosts.0.user: text of the form"),
        ("file:~/.ssh/audit", "keyring:ssh/audit", "9: hosts.0.key: keyring: is not supported yet"),
        ("file:~/.ssh/audit", "exec:pass show", "exec: is not supported yet"),
        ("file:~/.ssh/audit", "profile:prod", "profile: is for AWS"),
        ("file:~/.ssh/audit", "agent:x", "nothing follows agent:"),
        ("file:~/.ssh/audit", "hunter2", "name where the key is kept, never the key"),
        (
            "known_hosts: file:known",
            "known_hosts: known",
            "9: hosts.0.known_hosts: a file is named as file:PATH",
        ),
        (
            'account: "012345678901"',
            "account: 123456789012",
            "12: aws.0.account: the number of an account in quotes",
        ),
        ('account: "012345678901"', 'account: "12"', "12 digits"),
        (
            "eu-central-1",
            "eu-centrl-1a",
            "12: aws.0.regions.0: eu-centrl-1a is no AWS region; did you mean eu-central-1?",
        ),
        ("eu-central-1", "Frankfurt", "is no AWS region; one looks like"),
        ('"10.0.0.9"', '"10.0.0"', "14: exclude.0: 10.0.0: an IPv4 address has four numbers"),
        (
            '"10.0.0.9"',
            "9",
            "14: exclude.0: an address, a network or a host name in quotes is expected, not 9",
        ),
        ("days: [mon, tue]", "days: [mon, teu]", "16: windows.0.days.1: one of"),
        ("days: [mon, tue]", "days: []", "at least 1 entry"),
        (
            'from: "22:00"',
            "from: 22:00",
            "16: windows.0.from: 22:00 can be read in two ways; put it in quotes",
        ),
        ('from: "22:00"', 'from: "25:00"', "16: windows.0.from: a time in quotes"),
        ('from: "22:00"', 'from: "06:00"', "16: windows.0: from and to are equal"),
        ('from: "22:00"', 'from: "24:00"', "begins before"),
        (
            "Europe/Berlin",
            "Europe/Berlim",
            "16: windows.0.time_zone: there is no time zone 'Europe/Berlim'; did you mean Europe/Berlin?",
        ),
        ("Europe/Berlin", "../../etc/passwd", "there is no time zone"),
        (
            '{from: "12:00", to: "13:00"}',
            '{from: "00:00", to: "24:00"}',
            "17: blackouts: they cover all time",
        ),
        (
            '{days: [mon, tue], from: "22:00", to: "06:00", time_zone: Europe/Berlin}',
            '{days: [mon], from: "12:00", to: "13:00"}',
            "15: windows: the blackouts cover every window",
        ),
        (
            '{days: [mon, tue], from: "22:00", to: "06:00", time_zone: Europe/Berlin}',
            '{from: "06:00", to: "18:00"}\n  - {from: "18:00", to: "06:00"}',
            "15: windows: they cover all time",
        ),
        ("packets_per_second: 300", "packets_per_second: 5001", "19: rate.packets_per_second: at most 5000"),
        (
            "packets_per_second: 300",
            "packets_per_second: 20",
            "19: rate.per_host: 30 is more than packets_per_second (20)",
        ),
        ("per_host: 30", "per_host: 0", "19: rate.per_host: at least 1"),
        ("addresses: 1000", "addresses: 99999999", "20: limits.addresses: at most 16777216"),
        ("minutes: 90", "minutes: 1e3", "20: limits.minutes: a whole number is expected, not '1e3'"),
        (
            "id: linux-server",
            "id: linux-server, file: x",
            "21: baselines.0: a baseline has either an id or a file",
        ),
        ("plugins: [bartizan-more]", "plugins: ['../x']", "22: plugins.0: text of the form"),
        ("budget_hours: 12.5", "budget_hours: 0", "23: budget_hours: more than 0"),
        ("budget_hours: 12.5", "budget_hours: 40h", "23: budget_hours: a number is expected, not '40h'"),
        ("store: postgresql://bartizan@db/bartizan", "store: mysql://db/x", "24: store: a store is sqlite"),
        (
            'authorisation: {by: "A. Admin, head of IT", reference: "order 17", until: 2026-12-31}\n',
            "",
            "authorisation is missing",
        ),
    ],
)
def test_each_mistake_is_told_with_its_line_key_and_mend(old: str, new: str, says: str) -> None:
    assert WHOLE.count(old) >= 1
    with pytest.raises(TextError) as caught:
        read_scope(WHOLE.replace(old, new, 1).encode(), "scope.yaml")
    message = str(caught.value)
    assert message.startswith("scope.yaml:")
    assert says in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "hosts: [{name: a, address: b, password: hunter2}]",
        "hosts: [{name: a, address: b, ssh_password: hunter2}]",
        "hosts: [{name: a, address: b, passphrase: hunter2}]",
        "aws: [{name: a, secret_access_key: hunter2}]",
        "aws: [{name: a, session-token: hunter2}]",
        "local: {deep: {deeper: [{apiKey: hunter2}]}}",
        "store: postgresql://bartizan:hunter2@db/bartizan",
        "store: 'sqlite:///hunter2 x'",
        "organisation: see https://me:hunter2@wiki.example/",
        "organisation: '-----BEGIN OPENSSH PRIVATE KEY----- hunter2'",
        "organisation: AKIAIOSFODNN7EXAMPLE hunter2",
        "hosts: [{name: a, address: b, key: hunter2}]",
        "hosts: [{name: a, address: b, key: [hunter2]}]",
        "hosts: [{name: a, address: b, key: {hunter2: 1}}]",
    ],
)
def test_a_secret_is_refused_and_never_repeated(line: str) -> None:
    head = "" if line.startswith("organisation") else "organisation: X\n"
    with pytest.raises(TextError) as caught:
        read_scope(f"version: 1\n{head}{line}\n".encode(), "scope.yaml")
    assert "hunter2" not in str(caught.value)
    assert "scope.yaml:" in str(caught.value)


def test_a_key_named_for_a_secret_gets_the_mend_and_not_a_list_of_keys() -> None:
    with pytest.raises(TextError, match=r"scope\.yaml:3: local\.password: a secret is never written here"):
        read_scope(b"version: 1\norganisation: X\nlocal: {password: hunter2}\n", "scope.yaml")


@given(st.data())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_a_wrong_value_anywhere_is_a_line_and_never_a_crash(data: st.DataObject) -> None:
    document: Any = whole()
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        wrong: st.SearchStrategy[Any] = st.sampled_from(
            [None, -1, 10**12, 1.5, True, "", "x" * 3000, "\u00e9;$(id)", [], [[]], {}, {"a": 1}]
        )
        place[key] = data.draw(wrong)
        break
    try:
        read_scope(yaml.safe_dump(document).encode(), "scope.yaml")
    except TextError as error:
        told = str(error)
        assert told.startswith("scope.yaml:")
        assert told.isprintable()


# --- files ---


def written(folder: Path, text: str = WHOLE) -> Path:
    path = folder / "scope.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_scope_file_is_read_from_disk(tmp_path: Path) -> None:
    scope = load_scope(written(tmp_path))
    assert scope.given
    assert scope.file.organisation == "Example Ltd"
    assert scope.file_path("file:known") == tmp_path / "known"
    assert scope.file_path("file:/etc/x") == Path("/etc/x")
    assert scope.file_path("env:KEY", {"KEY": "/k"}) == Path("/k")
    with pytest.raises(ScopeError, match="KEY is not set"):
        scope.file_path("env:KEY", {})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.mkdir(), "this is no file"),
        (os.mkfifo, "this is no file"),
        (lambda p: p.write_bytes(b""), "the file is empty"),
        (lambda p: p.write_bytes(b"a: 1\n" * 500_000), "at most 1,048,576 are read"),
        (lambda p: p.write_text("version: 1", encoding="utf-16"), "not UTF-8"),
        (lambda p: p.write_bytes(bytes(range(1, 128))), "does not belong here"),
    ],
)
def test_files_that_are_no_scope(tmp_path: Path, make: Any, says: str) -> None:
    path = tmp_path / "scope.yaml"
    make(path)
    with pytest.raises(TextError, match=says):
        load_scope(path)


def test_a_name_that_no_file_can_have_is_told_too() -> None:
    with pytest.raises(ScopeError):
        load_scope(Path("a\0b"))


def complete(folder: Path) -> Scope:
    (folder / "baselines").mkdir()
    for name in ("audit", "known", "baselines/own.yaml"):
        (folder / name).touch(mode=0o600)
    return load_scope(written(folder, WHOLE.replace("file:~/.ssh/audit", "file:audit")))


def test_all_files_of_a_scope_are_there(tmp_path: Path) -> None:
    check_files(complete(tmp_path))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    scope = complete(tmp_path)
    (tmp_path / "audit").chmod(mode)
    with pytest.raises(ScopeError, match=rf"scope\.yaml:9: hosts\.0\.key: .*mode {mode:04o}.*chmod 600"):
        check_files(scope)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("audit", "9: hosts.0.key"),
        ("known", "9: hosts.0.known_hosts"),
        ("baselines/own.yaml", "21: baselines.1.file"),
    ],
)
def test_a_file_that_is_missing_is_told_with_the_line_that_names_it(
    tmp_path: Path, name: str, place: str
) -> None:
    scope = complete(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ScopeError) as caught:
        check_files(scope)
    assert f"scope.yaml:{place}: file:{name}: no such file" in str(caught.value)


def test_a_scope_that_everybody_may_change_is_refused(tmp_path: Path) -> None:
    scope = complete(tmp_path)
    (tmp_path / "scope.yaml").chmod(0o666)
    with pytest.raises(ScopeError, match="everybody may change it"):
        check_files(scope)


def test_names_are_held_against_what_there_is() -> None:
    scope = read_scope(WHOLE.encode(), "scope.yaml")
    check_names(scope, {"linux-server": ("level-1", "level-2")}, ("prod",))
    with pytest.raises(ScopeError, match=r"scope\.yaml:21: baselines\.0\.id: .*did you mean linux-servers\?"):
        check_names(scope, {"linux-servers": ()})
    with pytest.raises(
        ScopeError, match=r"baselines\.0\.profile: there is no profile level-1; did you mean level-2\?"
    ):
        check_names(scope, {"linux-server": ("level-2",)})
    with pytest.raises(ScopeError, match=r"scope\.yaml:12: aws\.0\.profile: .*did you mean prd\?"):
        check_names(scope, {"linux-server": ("level-1",)}, ("prd",))


# --- the template ---


def test_a_fresh_scope_file_scans_this_machine_and_nothing_else() -> None:
    file = read_scope(template().encode(), "scope.yaml").file
    assert file.local is not None
    assert not file.networks
    assert not file.hosts
    assert not file.aws
    assert file.authorisation is None


def _example(line: str) -> bool:
    return line.startswith(("#   ", "# - ")) or (line.startswith("# ") and ":" in line and line[2].islower())


def test_every_example_in_it_is_right_once_it_is_uncommented() -> None:
    lines = template().splitlines()
    examples = [line.removeprefix("# ") if _example(line) else line for line in lines]
    file = read_scope("\n".join(examples).encode(), "scope.yaml").file
    assert file.authorisation is not None
    for part in (
        file.networks,
        file.hosts,
        file.aws,
        file.exclude,
        file.windows,
        file.blackouts,
        file.baselines,
    ):
        assert part
    assert file.plugins
    assert file.store


def test_a_complete_authorisation_is_active() -> None:
    text = template("X", authorised_by="Who", reference="Why", until=date(2027, 1, 1))
    given = read_scope(text.encode(), "scope.yaml").file.authorisation
    assert given is not None
    assert (given.by, given.reference, given.until) == ("Who", "Why", date(2027, 1, 1))
    assert read_scope(template("X", authorised_by="Who").encode(), "x").file.authorisation is None


@given(st.text(max_size=300), st.text(max_size=300))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_no_answer_can_write_anything_but_itself_into_the_template(organisation: str, who: str) -> None:
    file = read_scope(template(organisation, authorised_by=who).encode(), "scope.yaml").file
    assert file.local is not None
    active = (file.networks, file.hosts, file.aws, file.authorisation)
    assert not any(active)
