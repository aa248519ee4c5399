"""How web servers answer."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class HttpAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one port answers `GET /`.

    `server` and `powered_by` are the headers; `authenticate` the schemes of WWW-Authenticate in lower case;
    `hsts` the value of Strict-Transport-Security; `location` where it redirects, never followed;
    `password_form` whether the page asks for a password.
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


class HttpAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """The front page of each HTTP port of the address."""

    answers: tuple[HttpAnswer, ...]
