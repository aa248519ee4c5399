"""Commands that several topics repair with: lines in files of settings, drop-in files, packages, units.

Each gives a shell snippet with its undo and an Ansible task. A place such as `@{key}` is filled from the
verdict's `values`. What a shell snippet replaces it keeps in the file itself, as a comment that names
the key, so that fixes of one file can be done and undone in any order.
"""

from __future__ import annotations

from checks.fix import Language, Snippet


def setting(
    file: str, *, between: str = " ", pattern: str = "[[:space:]=]", after: str = ""
) -> tuple[Snippet, ...]:
    """Sets `@{key}` to `@{good}` in a file of one setting a line, wherever it stood before.

    `between` stands between key and value in the new line; `pattern` is what may follow the key in an old
    one, as sed reads it; `after` is a command that makes the running program read the file, with `|| true`
    where it may not run.
    """
    then = f"\n{after}" if after else ""
    return (
        Snippet(
            Language.SHELL,
            f"file={file}\nkey=@{{key}}\nvalue=@{{good}}\n"
            "# A new file would hide all that the vendor's own one sets.\n"
            '[ -e "$file" ] || cp -p "/usr$file" "$file" 2>/dev/null || : >"$file"\n'
            f'sed -i "s/^[[:space:]]*$key{pattern}.*/#before $key: &/" "$file" &&\n'
            f'  printf \'%s{between}%s\\n\' "$key" "$value" >>"$file"{then}',
            f"file={file}\nkey=@{{key}}\nvalue=@{{good}}\n"
            f'sed -i -e "/^$key{between}$value\\$/d" -e "s/^#before $key: //" "$file"{then}',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Set one setting of a file\n"
            "  vars:\n    key: @{key}\n    value: @{good}\n"
            "  ansible.builtin.lineinfile:\n"
            f"    path: {file}\n"
            f'    regexp: "^\\\\s*{{{{ key | regex_escape }}}}[\\\\s=]"\n'
            f'    line: "{{{{ key }}}}{between}{{{{ value }}}}"\n'
            "    create: true\n    backup: true",
        ),
    )


def line(file: str, *, mode: str = "0644", after: str = "") -> tuple[Snippet, ...]:
    """Adds the line `@{line}` to a drop-in file of ours, which is made where it is missing.

    The undo takes the line out again, and the file with its last line.
    """
    then = f"\n{after}" if after else ""
    return (
        Snippet(
            Language.SHELL,
            f"file={file}\nline=@{{line}}\n"
            f'mkdir -p "$(dirname "$file")"\n'
            f'[ -e "$file" ] || {{ : >"$file"; chmod {mode} "$file"; }}\n'
            f'grep -qxF -e "$line" "$file" || printf \'%s\\n\' "$line" >>"$file"{then}',
            f"file={file}\nline=@{{line}}\n"
            'rest=$(grep -vxF -e "$line" "$file"); printf \'%s\' "${rest:+$rest\n}" >"$file"\n'
            f'[ -s "$file" ] || rm -f "$file"{then}',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Add a line to a drop-in file\n"
            "  ansible.builtin.lineinfile:\n"
            f"    path: {file}\n"
            "    line: @{line}\n"
            f'    mode: "{mode}"\n'
            "    create: true",
        ),
    )


def remove_package() -> tuple[Snippet, ...]:
    """Removes the package `@{package}` and keeps its configuration, so that the undo brings all back."""
    return (
        Snippet(
            Language.SHELL,
            "package=@{package}\n" + _managers("remove", "del"),
            "package=@{package}\n" + _managers("install", "add"),
        ),
        _package_task("absent"),
    )


def install_package() -> tuple[Snippet, ...]:
    """Installs the package `@{package}` with whatever package manager the host has."""
    return (
        Snippet(
            Language.SHELL,
            "package=@{package}\n" + _managers("install", "add"),
            "package=@{package}\n" + _managers("remove", "del"),
        ),
        _package_task("present"),
    )


def disable_unit() -> tuple[Snippet, ...]:
    """Stops the unit `@{unit}` and keeps the next boot from starting it."""
    return (
        Snippet(
            Language.SHELL,
            "unit=@{unit}\nname=${unit%.service}\n"
            'if command -v systemctl >/dev/null; then systemctl disable "$unit" && '
            '{ systemctl stop "$unit" || true; }\n'
            'elif command -v rc-update >/dev/null; then rc-service "$name" stop; rc-update del "$name"\n'
            'else update-rc.d "$name" disable; service "$name" stop || true; fi',
            "unit=@{unit}\nname=${unit%.service}\n"
            'if command -v systemctl >/dev/null; then systemctl enable "$unit" && '
            '{ systemctl start "$unit" || true; }\n'
            'elif command -v rc-update >/dev/null; then rc-update add "$name"; rc-service "$name" start\n'
            'else update-rc.d "$name" enable; service "$name" start || true; fi',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Stop a unit and keep the next boot from starting it\n"
            "  ansible.builtin.systemd_service:\n"
            "    name: @{unit}\n    state: stopped\n    enabled: false",
        ),
    )


def enable_unit() -> tuple[Snippet, ...]:
    """Starts the unit `@{unit}`, now and at every boot."""
    shell, _ = disable_unit()
    return (
        Snippet(Language.SHELL, shell.undo, shell.do),
        Snippet(
            Language.ANSIBLE,
            "- name: Start a unit, now and at every boot\n"
            "  ansible.builtin.systemd_service:\n"
            "    name: @{unit}\n    state: started\n    enabled: true",
        ),
    )


def _managers(word: str, apk: str) -> str:
    lean = " --no-install-recommends" if word == "install" else ""
    return (
        f'if command -v apt-get >/dev/null; then apt-get {word} -y{lean} "$package" </dev/null\n'
        f'elif command -v dnf >/dev/null; then dnf {word} -y "$package"\n'
        f'elif command -v zypper >/dev/null; then zypper --non-interactive {word} "$package"\n'
        f'else apk {apk} "$package"; fi'
    )


def _package_task(state: str) -> Snippet:
    word = "Remove" if state == "absent" else "Install"
    return Snippet(
        Language.ANSIBLE,
        f"- name: {word} a package\n  ansible.builtin.package:\n    name: @{{package}}\n    state: {state}",
    )
