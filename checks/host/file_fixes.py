"""Repairs of owners, modes and special rights of files."""

from __future__ import annotations

from checks.fix import Effort, Fix, Language, Snippet

MODES = Fix(
    action="Give the system's key files their proper owners and modes",
    do="Set the mode of `@{on}` to @{mode} and its owner to @{owner}:@{group}.",
    verify="stat -L -c '%a %U:%G' @{on}   # @{mode} @{owner}:@{group}",
    effort=Effort(setup=0.25, each=0.05),
    undo="Set it back to what was seen: @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "chown @{owner}:@{group} @{on} && chmod @{mode} @{on}",
            "chown @{owner_before}:@{group_before} @{on} && chmod @{mode_before} @{on}",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Set owner and mode\n"
            "  ansible.builtin.file:\n"
            "    path: @{on}\n    owner: @{owner}\n    group: @{group}\n    mode: @{mode}\n"
            "    state: @{state}",
        ),
    ),
    key="files:modes",
)
WORLD_WRITABLE = Fix(
    action="Take everybody's right to write away from files",
    do="Take the right to write from others on `@{on}`; give it to a group where a program needs it.",
    verify="stat -c %A @{on}   # the ninth character is -",
    effort=Effort(setup=0.5, each=0.1),
    undo="Give the right back: `chmod o+w`.",
    snippets=(
        Snippet(Language.SHELL, "chmod o-w -- @{on}", "chmod o+w -- @{on}"),
        Snippet(
            Language.ANSIBLE,
            "- name: Take everybody's right to write away\n"
            "  ansible.builtin.file:\n    path: @{on}\n    mode: o-w\n    state: file",
        ),
    ),
)
SHARED_FOLDERS = Fix(
    action="Set the sticky bit on shared folders",
    do="Set the sticky bit on `@{on}`, or take the right to write from others.",
    verify="stat -c %A @{on}   # ends with t",
    effort=Effort(setup=0.25, each=0.05),
    undo="Take the bit away: `chmod -t`.",
    snippets=(
        Snippet(Language.SHELL, "chmod +t -- @{on}", "chmod -t -- @{on}"),
        Snippet(
            Language.ANSIBLE,
            "- name: Set the sticky bit\n"
            "  ansible.builtin.file:\n    path: @{on}\n    mode: +t\n    state: directory",
        ),
    ),
)
UNOWNED = Fix(
    action="Give files without an owner to an account that exists",
    do="Find out whose `@{on}` was. Give it, and what lies below it with the same numbers, to who needs it "
    "now, or to @{owner}:@{group}; or delete it.",
    verify="find @{on} -xdev '(' -nouser -o -nogroup ')' | head -n 1   # no line",
    effort=Effort(setup=0.5, each=0.25),
    undo="Give it back to the numbers that were seen: @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "path=@{on}\nlist=/var/lib/unowned$(printf '%s' \"$path\" | tr / -).list\n"
            "set -- -user @{owner_before} -group @{group_before}\n"
            '[ -e "$list" ] || ( umask 077 && find "$path" -xdev "$@" -print0 >"$list" ) &&\n'
            '  xargs -0 -r chown -h @{owner}:@{group} -- <"$list"',
            "path=@{on}\nlist=/var/lib/unowned$(printf '%s' \"$path\" | tr / -).list\n"
            'xargs -0 -r chown -h @{owner_before}:@{group_before} -- <"$list" && rm -f "$list"',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Give files without an owner to an account that exists\n"
            "  ansible.builtin.file:\n    path: @{on}\n    owner: @{owner}\n    group: @{group}\n"
            "    follow: false",
        ),
    ),
)
SPECIAL_BITS = Fix(
    action="Take the SUID and SGID bits away where no package put them",
    do="Find out where `@{on}` came from: a program with the rights of @{owner}:@{group} that no package "
    "brought may be a back door. Take its special bits away, and delete it where nobody misses it.",
    verify="stat -c %a @{on}   # three digits, or a first digit of 0 or 1",
    effort=Effort(setup=0.5, each=0.25),
    undo="Set the mode back to @{mode_before}.",
    snippets=(
        Snippet(Language.SHELL, "chmod u-s,g-s -- @{on}", "chmod @{mode_before} -- @{on}"),
        Snippet(
            Language.ANSIBLE,
            "- name: Take the SUID and SGID bits away\n"
            "  ansible.builtin.file:\n    path: @{on}\n    mode: u-s,g-s\n    state: file",
        ),
    ),
    key="files:special-bits",
)
CAPABILITIES = Fix(
    action="Take file capabilities away that nothing needs",
    do="Find out who gave `@{on}` its capabilities (@{capabilities}). Give them to the service in its unit "
    "instead (AmbientCapabilities=), and take them off the file.",
    verify="getcap @{on}   # no line",
    effort=Effort(setup=0.5, each=0.25),
    undo="Set @{capabilities} again with setcap.",
    snippets=(
        Snippet(Language.SHELL, "setcap -r @{on}", "setcap @{capabilities} @{on}"),
        Snippet(
            Language.ANSIBLE,
            "- name: Take file capabilities away\n"
            "  ansible.builtin.command:\n    argv:\n      - setcap\n      - -r\n      - @{on}",
        ),
    ),
)
PRIVATE_KEYS = Fix(
    action="Close private keys to everybody but their owners",
    do="Set the mode of `@{on}` to @{mode}. A key that others could read counts as known to them: where the "
    "host has more users than root, make a new key and a new certificate.",
    verify="stat -c '%a %U:%G' @{on}   # @{mode} @{owner_before}:@{group}",
    effort=Effort(setup=0.5, each=0.1),
    undo="Set it back to what was seen: @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "chgrp @{group} @{on} && chmod @{mode} @{on}",
            "chgrp @{group_before} @{on} && chmod @{mode_before} @{on}",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Close a private key\n"
            "  ansible.builtin.file:\n    path: @{on}\n    group: @{group}\n    mode: @{mode}\n"
            "    state: file",
        ),
    ),
)
