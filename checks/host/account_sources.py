"""Where a host's accounts come from: its own files, NIS, or a directory."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.accounts import Accounts, Groups, Passwords
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect, unknown

_NIS = Fix(
    action="Take the lines of NIS out of the account files",
    do="Take the line `@{name}` out of @{file}. Where NIS is still used, name it in /etc/nsswitch.conf "
    "instead, and plan its end.",
    verify="grep -c '^[+-]' @{file}   # 0",
    effort=Effort(setup=0.25, each=0.1),
    undo="Put the kept file back.",
    snippets=(
        Snippet(
            Language.SHELL,
            "file=@{file}\n"
            '[ -e "$file.before-nis" ] || cp -p "$file" "$file.before-nis"\n'
            "sed -i '/^[+-]/d' \"$file\"",
            "file=@{file}\n"
            "# Where nothing else changed since, the file comes back as it was.\n"
            'if grep -v "^[+-]" "$file.before-nis" | cmp -s - "$file"; then cat "$file.before-nis" >"$file"\n'
            'else grep "^[+-]" "$file.before-nis" >>"$file"; fi && rm -f "$file.before-nis"',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Take the lines of NIS out\n"
            "  ansible.builtin.lineinfile:\n"
            "    path: @{file}\n    regexp: '^[+-]'\n    state: absent\n    backup: true",
        ),
    ),
    key="nis:lines",
)


@check(
    "host.account-sources.nis",
    title="The account files take nobody in from NIS",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.POC,
    fix=_NIS,
)
def nis(accounts: Accounts, groups: Groups) -> Verdicts:
    """NIS answers come unsigned: who forges them adds accounts, and in old systems a lone plus is a login."""
    bad = [("/etc/passwd", name) for name in accounts.included]
    bad += [("/etc/group", name) for name in groups.included]
    for file, name in bad:
        yield expect(
            False,
            on=f"{name} in {file}",
            saw=f"the line {name}",
            want="no such line",
            values={"file": file, "name": name},
            cite=f"\t{name}",
        )
    if not bad:
        yield expect(True, on="/etc/passwd and /etc/group", saw="no such line", want="no such line")


@check(
    "host.account-sources.nis-passwords",
    title="The file of password hashes takes nobody in from NIS",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.POC,
    fix=_NIS,
)
def nis_passwords(found: Passwords) -> Verdicts:
    """A line of NIS in the file of hashes lets whoever answers for NIS say which passwords are right."""
    for name in found.included:
        yield expect(
            False,
            on=name,
            saw=f"the line {name}",
            want="no such line",
            values={"file": "/etc/shadow", "name": name},
        )
    if not found.included:
        yield expect(True, on="/etc/shadow", saw="no such line", want="no such line")


@check(
    "host.account-sources.local",
    title="All accounts of the host stand in its own files and were looked at",
    severity=Severity.INFO,
    fix=Fix(
        action="Look at the accounts of the directory where it is kept",
        do="Look at the accounts that @{on} gives in the directory itself: who left, who is an "
        "administrator, how good the passwords are. A host cannot tell it for all of them.",
        verify="grep '^passwd:' /etc/nsswitch.conf   # files systemd",
        effort=Effort(setup=1, each=0),
    ),
)
def local(found: Accounts) -> Verdicts:
    """Who comes from a directory may log in as well, and a look at the host's files does not show them."""
    for name in found.directories:
        yield unknown(
            f"accounts of {name}",
            f"/etc/nsswitch.conf takes accounts in from {name}; only those of /etc/passwd were looked at",
            needs="the list of accounts that the directory itself gives",
        )
    if not found.directories:
        yield expect(True, on="accounts", saw="from the host's own files", want="from the host's own files")
