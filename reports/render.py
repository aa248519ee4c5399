"""Turns a view-model into one offline HTML file. The only place where text becomes markup unescaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from reports.views.words import visible

KINDS = ("index", "executive", "workbook", "segmentation")
_SCRIPTS = {"workbook": "workbook.js"}


def render(kind: str, view: msgspec.Struct) -> str:
    """The page of that kind (one of `KINDS`) as HTML; equal views give equal bytes.

    Raises:
        ValueError: there is no such kind of page.

    """
    if kind not in KINDS:
        raise ValueError(f"there is no page {kind!r}; there is {', '.join(KINDS)}")
    style = _asset("report.css")
    script = _asset(_SCRIPTS[kind]) if kind in _SCRIPTS else ""
    html = (
        _environment()
        .get_template(f"{kind}.html.j2")
        .render(
            page=view,
            kind=kind,
            policy=_policy(style, script),
            style=_trusted(style, "style"),
            script=_trusted(script, "script"),
        )
    )
    return html if html.endswith("\n") else html + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_template),
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """What an expression of a template becomes before it is escaped.

    Here, and not in each view, hidden characters become visible: no text can be forgotten.
    """
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _policy(style: str, script: str) -> str:
    """The content security policy: nothing but this very style and script, and nothing from anywhere."""
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; {scripts}"
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _trusted(text: str, element: str) -> Markup:
    """Our own style or script, as it is. Nothing that comes from a scan may ever be given to this.

    Raises:
        ValueError: the text would end its element, or a comment in it would change how it is read.

    """
    if f"</{element}" in text.lower() or "<!--" in text or "\r" in text:
        raise ValueError(f"this text cannot stand in <{element}>")
    return Markup(text)  # noqa: S704 - package data, checked above


def _template(name: str) -> str | None:
    entry = files("reports") / "templates" / name
    return entry.read_text(encoding="utf-8") if entry.is_file() else None


@cache
def _asset(name: str) -> str:
    return (files("reports") / "assets" / name).read_text(encoding="utf-8").strip()
