"""Finds the rules that decide in the files of PAM, whatever a distribution calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.facts.host.pam import Pam, PamRule
from checks.verdict import Verdict, unknown

_SHARED = ("common-{}", "system-auth", "password-auth", "base-{}")
"""Files that the services of the several distributions take their rules from."""
_OWN = ("passwd", "login", "sshd")
REFERENCE = "https://github.com/linux-pam/linux-pam/tree/master/modules"


def stacks(pam: Pam, kind: str) -> Iterator[tuple[str, tuple[PamRule, ...]]]:
    """The shared stacks of that kind by the paths of their files, and what services have beside them."""
    names = [name.format(kind) for name in _SHARED if pam.has(name.format(kind))]
    shared = {rule.file for name in names for rule in pam.stack(name, kind)}
    for name in (*names, *(name for name in _OWN if pam.has(name))):
        rules = pam.stack(name, kind)
        # A service that takes the shared rules in is judged with them.
        asks = [rule for rule in rules if rule.module.startswith("pam_unix")]
        if asks and (name in names or any(rule.file not in shared for rule in asks)):
            yield f"/etc/pam.d/{name}", rules


def unread(pam: Pam) -> Iterator[Verdict]:
    """One unknown for each file that the login may not read."""
    for path in pam.unread:
        yield unknown(path, f"{path} may not be read", needs=f"sudo: cat {path}")


def none(kind: str) -> Verdict:
    """What is said where no stack of that kind was found."""
    return unknown("PAM", f"no file of PAM with {kind} rules for local passwords was found")


def value(rule: PamRule | None, settings: Mapping[str, str], name: str, default: int) -> int:
    """A setting as the module takes it: its argument, else its file, else what it does without."""
    text = rule.argument(name) if rule is not None else None
    text = (text if text is not None else settings.get(name)) or ""
    if text == "never":
        return 0
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else default


def first(rules: tuple[PamRule, ...], *modules: str) -> PamRule | None:
    """The first rule that calls one of these modules."""
    return next((rule for rule in rules if rule.module in modules), None)
