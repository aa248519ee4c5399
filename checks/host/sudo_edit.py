"""Repairs of sudo: each is checked by visudo as a whole before it takes the place of what was there."""

from __future__ import annotations

from checks.fix import Language, Snippet

MANUAL = "https://www.sudo.ws/docs/man/sudoers.man/"
"""Where rules and settings are described."""

_PUT = """visudo -cf "$new" && cat "$new" >"$file"
ended=$?
rm -f "$new"
(exit "$ended")"""

_GUARD = r"""set -f; people=
for one in $(printf '%s\n' "$who" | tr , ' '); do
  case $one in
    %*) members=$(getent group "${one#%}") ||
          { echo "the members of $one cannot be seen: look who of them has a password first" >&2; exit 1; }
      number=$(printf '%s\n' "$members" | cut -d: -f3)
      first=$(getent passwd | awk -F: -v "number=$number" '$4 == number { print $1 }')
      people="$people $(printf '%s\n' "$members" | cut -d: -f4 | tr , ' ') $first" ;;
    *) id -u -- "$one" >/dev/null 2>&1 ||
         { echo "who $one is, sudo alone knows: look who of them has a password first" >&2; exit 1; }
      people="$people $one" ;;
  esac
done
for one in $people; do
  state=$(passwd -S "$one" 2>/dev/null | cut -d ' ' -f 2)
  case ${state:-P} in P|PS) ;; *) echo "$one has no password: give it one first" >&2; exit 1 ;; esac
done
set +f
"""
"""Whoever loses a rule without a password must have one: all whom `$who` names, and members of groups."""


def drop_in() -> tuple[Snippet, ...]:
    """Writes the setting `@{line}` to a file of its own, named by `@{key}`, that sudo reads last."""
    return (
        Snippet(
            Language.SHELL,
            "file=/etc/sudoers.d/zz-@{key}\nline=@{line}\nnew=$(mktemp)\n"
            'printf \'%s\\n\' "$line" >"$new"\n'
            'visudo -cf "$new" && { [ -d /etc/sudoers.d ] || mkdir -m 0750 /etc/sudoers.d; } &&\n'
            '  rm -f "$file" && (umask 0337; cat "$new" >"$file") && visudo -c || rm -f "$file"\n'
            'rm -f "$new"\n[ -e "$file" ]',
            "rm -f /etc/sudoers.d/zz-@{key}",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Write a setting of sudo to a file of its own\n"
            "  vars:\n    key: @{key}\n    line: @{line}\n"
            "  ansible.builtin.copy:\n"
            '    dest: "/etc/sudoers.d/zz-{{ key }}"\n'
            '    content: "{{ line }}\\n"\n'
            '    owner: root\n    group: root\n    mode: "0440"\n'
            "    validate: visudo -cf %s",
        ),
    )


def edit(key: str, lines: str, change: str, *, who: bool = False) -> tuple[Snippet, ...]:
    """Changes lines of `@{file}`, each of which stays above the new one as a comment that names `key`.

    `lines` is the condition and `change` the action, both for awk. With `who` only the rules of `@{who}` are
    looked at, and a rule of somebody who has no password is left alone: they would lose their way to root.
    """
    mine = 'index(bare, ENVIRON["who"]) == 1 && substr(bare, length(ENVIRON["who"]) + 1) ~ /^[ \\t]/ && '
    return (
        Snippet(
            Language.SHELL,
            "# Keep a root session open until sudo has worked again.\n"
            "file=@{file}\n" + (f"who=@{{who}}\nexport who\n{_GUARD}" if who else "") + "new=$(mktemp)\n"
            'awk \'{ bare = $0; sub(/^[ \\t]+/, "", bare); gsub(/[ \\t]*,[ \\t]*/, ",", bare) }\n'
            f"  {mine if who else ''}!/^[ \\t]*#/ && {lines} {{\n"
            f'    print "#before {key}: " $0; {change} }}\n'
            f'  {{ print }}\' "$file" >"$new"\n{_PUT}',
            "file=@{file}\nnew=$(mktemp)\n"
            f'awk \'/^#before {key}: / {{ sub(/^#before {key}: /, ""); print; getline; next }}\n'
            f'  {{ print }}\' "$file" >"$new"\n{_PUT}',
        ),
    )
