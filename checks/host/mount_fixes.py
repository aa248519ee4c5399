"""Commands that change a mount now and in /etc/fstab, and change both back."""

from __future__ import annotations

from checks.fix import Language, Snippet


def _restore(tag: str) -> str:
    """Takes our line out of /etc/fstab, and puts back what it replaced."""
    return (
        f'sed -i -e "\\|^#set-{tag} $point:|{{N;d;}}" -e "s|^#before-{tag} $point: ||" /etc/fstab\n'
        "[ -s /etc/fstab ] || rm -f /etc/fstab\n"
    )


def _replace(tag: str) -> str:
    """Puts `$line` in the place of the lines about the folder, which stay as comments that name it."""
    return (
        'sed -i "s|^[^#[:space:]][^[:space:]]*[[:space:]]\\{1,\\}$point[[:space:]].*|'
        f'#before-{tag} $point: &|" /etc/fstab &&\n'
        f'  printf \'#set-{tag} %s: %s\\n%s\\n\' "$point" "$how" "$line" >>/etc/fstab'
    )


_HAS_LINE = (
    "[ -e /etc/fstab ] || : >/etc/fstab\n"
    "# A last line without an end would run into ours.\n"
    '[ -z "$(tail -c 1 /etc/fstab)" ] || echo >>/etc/fstab\n'
)

OPTIONS = (
    Snippet(
        Language.SHELL,
        "point=@{on}\nadd=@{good}\n"
        "# What the kernel has for the folder now: its words that stand for themselves.\n"
        'now=$(awk -v point="$point" \'$2 == point { count = split($4, word, ","); kept = ""\n'
        "  for (at = 1; at <= count; at++) if (word[at] ~ /^(ro|rw|nosuid|nodev|noexec|noatime|relatime)$/)\n"
        '    kept = kept "," word[at] } END { print kept }\' /proc/self/mounts)\n'
        "how=mounted\n"
        'if [ -z "$now" ]; then\n'
        "  # BusyBox loses the options of such a mount at the next boot.\n"
        "  if mount --help 2>&1 | grep -q BusyBox; then\n"
        '    echo "give $point a filesystem of its own" >&2; exit 1\n'
        "  fi\n"
        '  how=bound; mount --bind "$point" "$point" || exit 1\n'
        "fi\n"
        'mount -o "remount,bind$now,$add" "$point" || exit 1\n'
        + _HAS_LINE
        + 'line=$(awk -v point="$point" -v add="$add" -v how="$how" \'\n'
        '  FILENAME == "/etc/fstab" { if ($1 !~ /^#/ && $2 == point) { $4 = $4 "," add; own = $0 } next }\n'
        '  $2 == point { seen = $1 " " $2 " " $3 " " $4 "," add " 0 0" }\n'
        '  END { if (own) print own; else if (how == "bound") print point, point, "none bind," add, "0 0"\n'
        "    else print seen }' /etc/fstab /proc/self/mounts)\n" + _replace("options"),
        "point=@{on}\nback=@{back}\n"
        'how=$(sed -n "s|^#set-options $point: ||p" /etc/fstab | tail -n 1)\n'
        + _restore("options")
        + 'if [ "$how" = bound ]; then umount "$point" || umount -l "$point"\n'
        'elif [ -n "$back" ]; then mount -o "remount,bind,$back" "$point"; fi',
    ),
    Snippet(
        Language.ANSIBLE,
        "- name: Mount with safe options\n"
        "  ansible.posix.mount:\n"
        "    path: @{on}\n    src: @{source}\n    fstype: @{kind}\n    opts: @{options}\n"
        "    state: mounted\n    backup: true",
    ),
)
"""Adds the words `@{good}` to the mount at `@{on}`; a folder that is none becomes one, bound to itself.

The undo takes back those that the mount had not, with `@{back}` (`dev,suid,exec`, or nothing). The
verdict's `source`, `kind` and `options` are the whole new mount.
"""

OWN_TMP = (
    Snippet(
        Language.SHELL,
        "point=@{on}\n" + _HAS_LINE + "options=mode=1777,nosuid,nodev,noexec\n"
        "# What lies there moves along; programs that hold files open keep the old ones until they restart.\n"
        "new=$(mktemp -d /run/own-tmp.XXXXXX) || exit 1\n"
        'mount -t tmpfs -o "$options" tmpfs "$new" && cp -a "$point/." "$new/" && chmod 1777 "$new" &&\n'
        '  mount --bind "$new" "$point" && mount -o remount,bind,nosuid,nodev,noexec "$point"; ended=$?\n'
        'umount "$new"; rmdir "$new"\n'
        '[ "$ended" = 0 ] || exit 1\n'
        'how=own\nline="tmpfs $point tmpfs $options 0 0"\n' + _replace("own"),
        "point=@{on}\n" + _restore("own") + 'umount "$point" || umount -l "$point"',
    ),
    Snippet(
        Language.ANSIBLE,
        "- name: Mount temporary files in memory\n"
        "  ansible.posix.mount:\n"
        "    path: @{on}\n    src: tmpfs\n    fstype: tmpfs\n    opts: mode=1777,nosuid,nodev,noexec\n"
        "    state: mounted\n    backup: true",
    ),
)
"""Gives the folder of temporary files `@{on}` a filesystem of its own, in memory."""
