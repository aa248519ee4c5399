"""Repairs of the audit system: rules in a file of their own, loaded where the kernel takes them."""

from __future__ import annotations

from checks.fix import Effort, Fix, Language, Snippet
from checks.host.audit_topics import OLD_CALLS, YOUNG, Topic

_FOLDER = "/etc/audit/rules.d"
# augenrules makes audit.rules anew of what lies in the folder: rules that stand only there move along.
_KEEP = (
    f"folder={_FOLDER}\n"
    'mkdir -p -m 0750 "$folder"\n'
    'if [ -s /etc/audit/audit.rules ] && ! ls "$folder"/*.rules >/dev/null 2>&1; then\n'
    '  cp -p /etc/audit/audit.rules "$folder/00-before.rules"\n'
    "fi\n"
)
_OLD = "|".join(sorted(OLD_CALLS))
# One call that the machine does not have keeps auditctl from loading the rest of the file.
_FIT = (
    "case $(uname -m) in\n"
    f"  {'|'.join(YOUNG)}) sed -E -i -e '/arch=b32/d' -e ':a' -e 's/-S ({_OLD}),/-S /' "
    f"-e 's/,({_OLD})([, ])/\\2/' -e 'ta' \"$file.new\" ;;\n"
    "  i?86|armv*) sed -i '/arch=b64/d' \"$file.new\" ;;\n"
    "esac\n"
)
_LOAD = "if command -v augenrules >/dev/null; then augenrules --load >/dev/null 2>&1 || true; fi"
_UNKEEP = (
    f"folder={_FOLDER}\n"
    'if [ "$(ls "$folder")" = 00-before.rules ]; then\n'
    '  cp -p "$folder/00-before.rules" /etc/audit/audit.rules && rm "$folder/00-before.rules"\n'
    f"else {_LOAD}; fi"
)


def rules_fix(name: str, lines: tuple[str, ...], verify: str) -> Fix:
    """Writes these rules into a file of that name in the folder of rules."""
    file = f"{_FOLDER}/{name}.rules"
    body = "\n".join(lines)
    indented = "\n".join(f"      {line}" for line in lines)
    return Fix(
        action="Write the missing audit rules",
        do=f"Write the rules for what is not recorded (@{{saw}}) into {file} and load them with "
        "`augenrules --load`. Where the rules are locked, they count from the next boot.",
        verify=verify,
        effort=Effort(setup=1, each=0.1),
        undo=f"Delete {file} and load the rules again.",
        snippets=(
            Snippet(
                Language.SHELL,
                f"{_KEEP}file={file}\n"
                f"cat >\"$file.new\" <<'END_OF_RULES'\n{body}\nEND_OF_RULES\n{_FIT}"
                'if [ -e "$file" ] && ! [ -e "$file.before" ] && ! cmp -s "$file" "$file.new"; then\n'
                '  cp -p "$file" "$file.before"\n'
                "fi\n"
                f'chmod 0640 "$file.new" && mv "$file.new" "$file"\n{_LOAD}',
                f"file={file}\n"
                'if [ -e "$file.before" ]; then mv "$file.before" "$file"; else rm -f "$file"; fi\n'
                f"{_UNKEEP}",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Write audit rules\n"
                "  ansible.builtin.copy:\n"
                f'    dest: {file}\n    mode: "0640"\n    backup: true\n    content: |\n{indented}\n'
                '  when: ansible_facts["architecture"] == "x86_64"\n'
                "- name: Load audit rules\n"
                "  ansible.builtin.command: augenrules --load",
            ),
        ),
        key="audit:rules",
    )


def topic_fix(topic: Topic) -> Fix:
    """Writes the rules that record this topic, those that this kind of machine can load."""
    file = f"{_FOLDER}/60-hardening-{topic.id}.rules"
    verify = f"grep -c . {file}   # {len(_lines(topic))} on x86_64"
    return rules_fix(f"60-hardening-{topic.id}", _lines(topic), verify)


def _lines(topic: Topic) -> tuple[str, ...]:
    key = f"-k {topic.id}"
    lines = [f"-w {path} -p wa {key}" for group in topic.watched for path in _present(group)]
    people = "" if topic.id in ("time", "network") else " -F auid>=1000 -F auid!=unset"
    for fields in topic.fields if topic.calls else ():
        conditions = "".join(f" -C {f}" if f == "euid!=uid" else f" -F {f}" for f in sorted(fields))
        for kind in ("b64", "b32"):
            calls = ",".join(topic.calls)
            lines.append(f"-a always,exit -F arch={kind} -S {calls}{conditions}{people} {key}")
    return tuple(lines)


def _present(group: tuple[str, ...]) -> tuple[str, ...]:
    # A watch on a path that is not there yet is valid, and one of a folder that never comes is harmless.
    return group if group[0] == "/etc/apparmor.d" else group[:1]


INSTALL = Fix(
    action="Install and start the audit daemon",
    do="Install the package @{package} and start its service, now and at every boot. A container has no "
    "audit system of its own: there the host records.",
    verify="pidof auditd   # a number",
    effort=Effort(setup=1, each=0.2),
    undo="Remove the package @{package}.",
    snippets=(
        Snippet(
            Language.ANSIBLE,
            "- name: Install the audit daemon\n"
            "  ansible.builtin.package:\n    name: @{package}\n    state: present\n"
            "- name: Start the audit daemon, now and at every boot\n"
            "  ansible.builtin.service:\n    name: auditd\n    state: started\n    enabled: true",
        ),
    ),
)
BOOT = Fix(
    action="Switch auditing on from the first moment of the boot",
    do="Add `audit=1 audit_backlog_limit=8192` to the kernel's command line (GRUB_CMDLINE_LINUX in "
    "/etc/default/grub and update-grub, or grubby --update-kernel=ALL --args=...) and reboot. A wrong line "
    "keeps the machine from booting, and only a reboot shows it: a person does this.",
    verify="grep -o 'audit[a-z_]*=[0-9]*' /proc/cmdline   # audit=1 and audit_backlog_limit=8192",
    effort=Effort(setup=0.5, each=0.2),
    undo="Take the words out again and reboot.",
)
LOAD = Fix(
    action="Load the audit rules that stand in the files",
    do="Load the rules with `augenrules --load`. Where the rules are locked (`-e 2`), reboot. Rules that are "
    "in the kernel and in no file are lost then: write them down first if somebody needs them.",
    verify="augenrules --check   # No change",
    effort=Effort(setup=0.25, each=0.1),
    undo="Load the rules that `auditctl -l` showed before.",
    snippets=(
        Snippet(
            Language.SHELL,
            "before=/var/lib/audit-rules.before\n"
            '[ -e "$before" ] || ( umask 077 && auditctl -l | grep ^- >"$before" )\n'
            "augenrules --load",
            'before=/var/lib/audit-rules.before\nauditctl -D && auditctl -R "$before" && rm -f "$before"',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Load the audit rules\n  ansible.builtin.command: augenrules --load",
        ),
    ),
)
