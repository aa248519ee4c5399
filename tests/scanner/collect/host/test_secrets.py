"""The readers of lying secrets, and their fragments on real hosts: the secrets stay there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import pytest

from checks.facts.host.secrets import ApplicationSecrets, Histories
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import secrets
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Lab, lab

F = TypeVar("F", bound=Fact)
BAD = [
    ("mysql -uroot -pHUNTER2 shop", "password of a database program"),
    ("mysqldump --password=HUNTER2 shop", "password option"),
    ("PGPASSWORD='HUNTER2' psql", "password in a variable"),
    ("export MYSQL_PWD=HUNTER2", "password in a variable"),
    ('export API_TOKEN="HUNTER2"', "password in a variable"),
    ("curl -u ann:HUNTER2 https://x", "user and password of curl or wget"),
    ("sshpass -p HUNTER2 ssh x", "password of sshpass"),
    ("git clone https://ann:HUNTER2@git.example/x", "password in an address"),
    ("echo HUNTER2 | sudo -S id", "password piped to a program"),
    ("curl -H 'Authorization: Bearer HUNTER2' x", "header with a token"),
    ("docker login -u ann -p HUNTER2 r", "password of docker login"),
    ("ldapsearch -x -D cn=a -w HUNTER2", "password of an LDAP program"),
    ("openssl enc -k x -pass pass:HUNTER2", "passphrase of openssl"),
    ("GRANT ALL TO x IDENTIFIED BY 'HUNTER2'", "password in an SQL command"),
    ("echo ghp_HUNTER2HUNTER2HUNTER2", "token"),
]
GOOD = [
    "ls -p",
    "mysql -p shop",
    "mysql --protocol=tcp",
    "mysql -p$PASS shop",
    "export TOKEN=$(cat /run/token)",
    "curl --password=$PW x",
    "PASSWORD=${PW} run",
    "curl http://host:8080/x",
    "cd /etc/passwd.d",
    "git commit -m 'password reset'",
    "PWD=/tmp ls",
    "passwd ann",
]
HISTORY = "\n".join([command for command, _ in BAD] + GOOD)
PLANT = f"""
cat >/root/.bash_history <<'E'
{HISTORY}
E
chmod 600 /root/.bash_history; echo ls >/home/audit/.ash_history; chown audit /home/audit/.ash_history
mkdir -p /srv/app /srv/closed /opt/x/node_modules /var/www /home/audit
echo 'DB_PASSWORD=HUNTER2' >/srv/app/.env; chmod 644 /srv/app/.env
echo 'DB_PASSWORD=HUNTER2' >/srv/app/prod.env; chmod 640 /srv/app/prod.env
echo 'DB_PASSWORD=' >/srv/app/.env.example; chmod 644 /srv/app/.env.example
echo 'DB_PASSWORD=HUNTER2' >/srv/closed/.env; chmod 644 /srv/closed/.env; chmod 700 /srv/closed
echo 'DB_PASSWORD=HUNTER2' >/opt/x/node_modules/.env
echo "define('DB_PASSWORD', 'HUNTER2');" >/var/www/wp-config.php
echo 'url: postgres://app:HUNTER2@db/x' >/opt/x/application-prod.yml
echo 'spring.password=${{DB_PASSWORD}}' >/opt/x/application.properties
echo 'token_lifetime = 30' >/opt/x/a.conf
"""


def fact(snapshot: Snapshot, kind: type[F]) -> F:
    found = snapshot.get(kind)
    assert isinstance(found, kind)
    assert "HUNTER2" not in json.dumps(msgspec.to_builtins(snapshot))
    return found


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.mark.real
@pytest.mark.parametrize("kind", ["bookworm", "busybox"])
def test_kinds_of_secrets_in_a_history(net: Lab, kind: str) -> None:
    found = fact(net.host(kind, plant=PLANT).look(frozenset({Histories})), Histories)
    told = {one.line: one.kind for one in found.lines if one.file == "/root/.bash_history"}
    assert told == {number: kind for number, (_, kind) in enumerate(BAD, 1)}
    assert set(found.files) == {"/root/.bash_history", "/home/audit/.ash_history"}
    assert (found.more, found.unsearched) == (False, ())


@pytest.mark.real
def test_histories_through_sudo_and_without(net: Lab) -> None:
    allowed = fact(net.host("bookworm", plant=PLANT, login="sudo").scan(frozenset({Histories})), Histories)
    assert len(allowed.lines) == len(BAD)
    assert allowed.unsearched == ()
    plain = fact(net.host("bookworm", plant=PLANT, login="plain").scan(frozenset({Histories})), Histories)
    assert (plain.lines, plain.unsearched) == ((), ("/root",))
    assert plain.files == ("/home/audit/.ash_history",)


@pytest.mark.real
def test_a_sudo_rule_that_is_missing_searches_nothing(net: Lab) -> None:
    host = net.host("bookworm", plant=f"{PLANT}\nsed -i '/\\/home\\//d' /etc/sudoers.d/*", login="sudo")
    assert set(fact(host.scan(frozenset({Histories})), Histories).unsearched) >= {"/root", "/home/audit"}


@pytest.mark.real
@pytest.mark.parametrize("kind", ["bookworm", "busybox"])
def test_what_every_account_reads_of_applications(net: Lab, kind: str) -> None:
    seen = net.host(kind, plant=PLANT).look(frozenset({ApplicationSecrets}))
    found = fact(seen, ApplicationSecrets)
    expected = {"/srv/app/.env", "/var/www/wp-config.php", "/opt/x/application-prod.yml"}
    assert {one.path for one in found.files} == expected
    assert seen.gaps == ()
    assert {"/srv", "/opt", "/var/www", "/home"} <= set(found.folders)


@pytest.mark.real
def test_a_folder_that_can_be_entered_and_not_listed_is_a_gap(net: Lab) -> None:
    host = net.host("bookworm", plant=f"{PLANT}\nchmod 711 /srv/app", login="plain")
    seen = host.scan(frozenset({ApplicationSecrets}))
    assert "/srv/app/.env" not in {one.path for one in fact(seen, ApplicationSecrets).files}
    assert [gap.fact for gap in seen.gaps] == ["ApplicationSecrets"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file\t/root/.bash_history\n",
        "line\t/root/.bash_history\t1\tsome password\nsearched\n",
        "line\t/root/.bash_history\tone\ttoken\nsearched\n",
        "noise\nsearched\n",
    ],
)
def test_a_broken_answer_about_histories_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        secrets.parse_histories(text)


def test_a_history_that_exists_and_was_not_read_is_named() -> None:
    text = "near:/root\nnear:/home/ann\ncovered:/home\nfile\t/home/ann/.bash_history\nsearched\n"
    [found] = secrets.parse_histories(text).facts
    assert found == Histories((), (), unsearched=("/root", "/home/ann/.bash_history"))


@pytest.mark.parametrize("text", ["", "folder:/srv\n", "noise\nended:whole\n", "ended:somehow\n"])
def test_a_broken_answer_about_applications_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        secrets.parse_applications(text)


@pytest.mark.parametrize("word", ["stopped", "denied"])
def test_a_search_that_did_not_get_everywhere_is_a_gap(word: str) -> None:
    assert secrets.parse_applications(f"folder:/srv\nended:{word}\n").gaps
    assert not secrets.parse_applications("folder:/srv\nended:whole\n").gaps
