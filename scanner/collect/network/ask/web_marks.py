"""The short list of well-known things that a web server should not give out, and the mark of each. Pure.

A mark is something that only the thing itself has. What it says beside its mark is looked at here and
forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from scanner.collect.network import web
from scanner.collect.network.ask.http_interfaces import Told
from scanner.collect.network.ask.http_redirects import bare

Mark = Callable[[web.Response], bool]
LOOKED_AT = web.KEPT
"""Bytes of a page in which a mark is looked for: some debug pages say what they are at their end."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing: where it is, its mark, and when it is worth asking for.

    Without a path it shows on a page that is asked for anyway: the front page, or one that cannot exist.
    `hint` must hold for what the front page told; without a hint every web server is asked. `status` is
    the one with which it comes: of an answer with another one it does not matter whether all of it came.
    """

    name: str
    mark: Mark
    said: str
    path: str = ""
    hint: Callable[[Told], bool] | None = None
    on_front_page: bool = False
    status: int = 200


def body(pattern: bytes, status: int = 200) -> Mark:
    """A mark in the body of an answer with this status."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda answer: answer.status == status and compiled.search(answer.body[:LOOKED_AT]) is not None


_SETTING = re.compile(rb"(?:export[ \t]{1,9})?[A-Za-z_][A-Za-z0-9_.]{0,80}[ \t]{0,9}=")


_KEY_BEGINS = b"-----BEGIN"


def _settings(answer: web.Response) -> bool:
    """Whether the first lines that say something are settings of the form `NAME=value`."""
    lines = [line.strip() for line in answer.body[:20_000].removeprefix(b"\xef\xbb\xbf").splitlines()[:200]]
    told = [line for line in lines if line and not line.startswith(b"#")][:5]
    # The value of a setting may go on over many lines, as a key does.
    long = next((n for n, line in enumerate(told, 1) if _KEY_BEGINS in line or line.count(b'"') == 1), 5)
    return answer.status == 200 and bool(told) and all(_SETTING.match(line) for line in told[:long])


_PROFILER = re.compile(r"/_profiler/(?:empty|latest|[0-9a-f]{6})(?:/|$)")


def _profiler(answer: web.Response) -> bool:
    leads = answer.status in (301, 302) and _PROFILER.search(bare(answer.headers.get("location", "")))
    return bool(leads) or (answer.status == 200 and b"Symfony Profiler" in answer.body[:LOOKED_AT])


_SERVER = re.compile(r"^server: (?:$|apache)", re.IGNORECASE | re.MULTILINE)


def _apache(told: Told) -> bool:
    """Whether it may be Apache: it says so, or nothing."""
    return _SERVER.search(told.head) is not None


def _says(*words: str) -> Callable[[Told], bool]:
    return lambda told: told.says(*words)


THINGS = (
    Thing(
        "listing",
        body(
            rb"<title>\s{0,9}(?:Index of /|Directory listing for \[?/|Directory: /|listing directory /)"
            rb"|<h1>\s{0,9}Index of /|\[To Parent Directory\]"
        ),
        "a list of files",
        on_front_page=True,
    ),
    Thing(
        "git", body(rb"\A(?:ref: refs/|[0-9a-f]{40}\s{0,4}\Z)"), "the head of a Git repository", "/.git/HEAD"
    ),
    Thing(
        "subversion",
        body(rb"\A\d{1,2}\r?\n(?:\Z|\r?\ndir\r?\n)"),
        "the entries of a Subversion copy",
        "/.svn/entries",
    ),
    Thing("env", _settings, "settings of the form NAME=value", "/.env"),
    Thing("ds-store", body(rb"\A\x00\x00\x00\x01Bud1"), "names of files", "/.DS_Store"),
    Thing(
        "server-status",
        body(rb"<title>Apache Status|Apache Server Status for"),
        "the requests that Apache answers",
        "/server-status",
        hint=_apache,
    ),
    Thing(
        "phpinfo",
        body(rb"<title>[^<]{0,40}phpinfo\(\)"),
        "the page of phpinfo()",
        "/phpinfo.php",
        hint=_says("php", "wordpress", "laravel", "symfony"),
    ),
    Thing(
        "wordpress-backup",
        body(rb"define\(\s{0,4}['\"]DB_PASSWORD"),
        "a copy of the configuration of WordPress",
        "/wp-config.php.bak",
        hint=_says("wordpress", "wp-content", "wp-includes", "wp-json"),
    ),
    Thing(
        "django-debug",
        body(rb"you have <code>DEBUG = True</code>", 404),
        "a debug page of Django",
        status=404,
    ),
    Thing("rails-debug", body(rb"Rails\.root:", 404), "a debug page of Rails", status=404),
    Thing(
        "werkzeug",
        body(rb"<title>[^<]{0,40}Werkzeug Debugger|EVALEX\s{0,4}=\s{0,4}true"),
        "the console of Werkzeug",
        "/console",
    ),
    Thing(
        "symfony-profiler",
        _profiler,
        "the profiler of Symfony",
        "/_profiler/",
        hint=_says("symfony", "x-debug-token", "sf-toolbar"),
    ),
    Thing(
        "laravel-ignition",
        body(rb'"can_execute_commands"\s{0,4}:'),
        "the error page of Laravel with its commands",
        "/_ignition/health-check",
        hint=_says("laravel", "cookie: xsrf-token"),
    ),
    Thing(
        "actuator",
        body(rb'"propertySources"\s{0,4}:'),
        "the environment of a Spring application",
        "/actuator/env",
    ),
    Thing(
        "pprof",
        body(rb"Types of profiles available:|full goroutine stack dump"),
        "profiles of a Go program",
        "/debug/pprof/",
    ),
)
