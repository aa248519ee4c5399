"""What the fixes of TLS and SSH tell people to run, on real settings and against real servers."""

from __future__ import annotations

import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks.network.tls_fixes import OLDEST_VERSION, SOUND_CIPHERS
from tests.checks.network.judging import CATALOGUE
from tests.lab.parts import program
from tests.lab.services import Made, certificate, openssl_server, sshd

NAMES = r"network\.(tls|tls-settings|tls-trust|ssh)\."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("certificate"))


def nginx(folder: Path, made: Made, http: str, server: str) -> Path:
    """A configuration in the manner of Debian, with these lines inside `http` and inside `server`."""
    place = folder / "nginx"
    for name in ("conf.d", "sites-available", "sites-enabled"):
        (place / name).mkdir(parents=True)
    (place / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{http}\n"
        f"include {place}/conf.d/*.conf;\ninclude {place}/sites-enabled/*;\n}}\n"
    )
    site = place / "sites-available" / "default"
    site.write_text(
        f"server {{ listen 127.0.0.1:1 ssl; ssl_certificate {made.certificate};\n"
        f"ssl_certificate_key {made.key}; {server}\n}}\n"
    )
    (place / "sites-enabled" / "default").symlink_to(site)
    return place


def run(text: str, place: Path) -> subprocess.CompletedProcess[str]:
    """The lines of a snippet, at that place instead of /etc/nginx, where nothing is reloaded."""
    own = text.replace("/etc/nginx", str(place)).replace("systemctl reload nginx", "true")
    test = f"{shlex.quote(program('nginx'))} -t -c {place}/nginx.conf"
    return subprocess.run(
        ["/bin/sh", "-c", own.replace("nginx -t", test)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("http", "server"),
    [
        ("", ""),
        ("ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3", ""),
        ("ssl_ciphers HIGH:MEDIUM;", ""),
        ("# ssl_protocols SSLv3;", "ssl_protocols TLSv1; ssl_ciphers ALL; ssl_session_timeout 5m;"),
    ],
)
def test_the_lines_for_nginx_leave_settings_that_nginx_takes(
    made: Made, tmp_path: Path, http: str, server: str
) -> None:
    place = nginx(tmp_path, made, http, server)
    before = (place / "nginx.conf").read_text(), (place / "sites-available" / "default").read_text()
    for fix, line in (
        (OLDEST_VERSION, "ssl_protocols TLSv1.2 TLSv1.3;"),
        (SOUND_CIPHERS, "ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;"),
    ):
        snippet = fix.snippets[0]
        done = run(snippet.do, place)
        assert done.returncode == 0, done.stderr
        told = "\n".join(file.read_text() for file in place.rglob("*") if file.is_file())
        keyword = line.partition(" ")[0]
        assert set(re.findall(rf"(?m)^[^#\n]*?({keyword} [^;]*;)", told)) == {line}
        assert ("ssl_session_timeout 5m;" in told) is ("timeout" in server)
        assert run(snippet.undo, place).returncode == 0
        after = (place / "nginx.conf").read_text(), (place / "sites-available" / "default").read_text()
        assert after == before
        assert not list((place / "conf.d").iterdir())


@pytest.mark.real
def test_every_command_that_verifies_ends_by_itself(made: Made, tmp_path: Path) -> None:
    """Whatever it says: it neither waits for words of a person nor for a server that has none."""
    values = {"target": "127.0.0.1", "weak": "3des-cbc", "keep": "aes256-ctr", "on": "tcp/1"}
    home = {"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def finish(command: str) -> None:
        assert "@{" not in command
        subprocess.run(["/bin/bash", "-c", command], env=home, capture_output=True, timeout=25, check=False)

    with openssl_server(made) as web, sshd(tmp_path) as shell, ThreadPoolExecutor(4) as workers:
        commands = set()
        for name, one in CATALOGUE.checks.items():
            if re.match(NAMES, name):
                command = one.fix.verify.partition("; with -starttls")[0]
                port = str(shell if ".ssh." in name else web)
                for key, value in (values | {"port": port}).items():
                    command = command.replace(f"@{{{key}}}", value)
                commands.add(command)
        assert len(commands) > 15
        list(workers.map(finish, commands))
