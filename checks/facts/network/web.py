"""How web servers answer."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from checks.facts.snapshot import Fact


class Cookie(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cookie that a front page sets: its name and its protections, never its value."""

    name: str
    secure: bool
    http_only: bool


class HttpAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one port answers `GET /`.

    `server` and `powered_by` are the headers; `authenticate` the schemes of WWW-Authenticate in lower case;
    `hsts` the value of Strict-Transport-Security; `location` where it redirects. All of these, and what
    follows from `content_type` on, are of the first answer.

    `landed` is the address, without its query, of the page to which redirects within the scope led, empty
    where there was none or it could not be reached; `astray` says why a redirect was not followed.
    `title`, `password_form`, `whole` and `default_page` are of that page, or of the first answer where
    there is none. `whole` is false where the page was cut before its end; `default_page` names the product
    whose untouched first page it is.

    `frame_ancestors` is that directive of Content-Security-Policy, without its name. `cors_origin` and
    `cors_credentials` are what the server allowed to an origin that does not exist.
    """

    port: str
    tls: bool
    status: int
    server: str = ""
    powered_by: str = ""
    authenticate: tuple[str, ...] = ()
    hsts: str = ""
    location: str = ""
    title: str = ""
    password_form: bool = False
    landed: str = ""
    astray: str = ""
    whole: bool = True
    default_page: str = ""
    content_type: str = ""
    content_type_options: str = ""
    frame_options: str = ""
    frame_ancestors: str = ""
    referrer_policy: str = ""
    cookies: tuple[Cookie, ...] = ()
    cors_origin: str = ""
    cors_credentials: bool = False


class HttpAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """The front page of each HTTP port of the address."""

    answers: tuple[HttpAnswer, ...]


class Shown(StrEnum):
    """Whether a server gave something out: yes, no, or the answer decided neither."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class WebPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One well-known thing that a web server should not give out, asked of one port.

    `thing` is its name in the table of the collector (`git`, `actuator`, …), `path` what was asked, `shown`
    whether it was recognised by a mark that a page which cannot exist does not have, and `saw` the words
    for it. Nothing of the contents is kept.
    """

    port: str
    tls: bool
    thing: str
    path: str
    shown: Shown
    saw: str


class WebPaths(Fact, frozen=True, forbid_unknown_fields=True):
    """What each HTTP port gives out at a short list of well-known paths."""

    paths: tuple[WebPath, ...]
