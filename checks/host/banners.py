"""What a host tells about itself before a login."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.banners import Banners
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Severity
from checks.verdict import Verdicts, expect, not_applicable, unknown


@check(
    "host.banners.leak",
    title="Banners tell nothing about the system",
    severity=Severity.LOW,
    fix=Fix(
        action="Let banners tell nothing about the system",
        do="Replace the text of @{on} by a notice that names neither the system nor its version. The "
        "wording of the snippet is an example: let whoever answers for legal matters choose it.",
        verify="cat @{on}   # a notice without names and without \\m, \\r, \\s, \\S, \\v",
        effort=Effort(setup=0.25, each=0.05),
        undo="Put the file @{on}.before back.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=@{on}\n"
                "# Moved, not copied: the file may be a link into the part that updates write to.\n"
                '[ -e "$file.before" ] || [ -L "$file.before" ] || mv "$file" "$file.before"\n'
                'rm -f "$file"\n'
                "printf 'Authorised use only. Use of this system is recorded.\\n' >\"$file\"\n"
                'chmod 644 "$file"',
                "file=@{on}\n"
                '[ -e "$file.before" ] || [ -L "$file.before" ] || exit 1\n'
                'rm -f "$file"; mv "$file.before" "$file"',
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Write a banner that tells nothing about the system\n"
                "  ansible.builtin.copy:\n"
                "    dest: @{on}\n"
                '    content: "Authorised use only. Use of this system is recorded.\\n"\n'
                '    mode: "0644"\n    follow: false\n    backup: true',
            ),
        ),
        key="banners:plain",
    ),
)
def leak(found: Banners) -> Verdicts:
    """The name and version of a system tell an attacker which flaws to try, before any login."""
    for one in found.banners:
        told = [*one.escapes, *one.words]
        clean = "empty" if one.empty else "a text without names of systems"
        yield expect(
            not told,
            on=one.path,
            saw=f"tells {', '.join(told)}" if told else clean,
            want="no names of systems, no \\m, \\r, \\s, \\S, \\v",
        )
    for path in found.missing:
        yield not_applicable(path, f"there is no {path}")
    for path in found.unread:
        yield unknown(path, f"{path} may not be read", needs=f"sudo: cat {path}")
