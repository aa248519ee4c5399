"""Commands that repair the rules of PAM without locking anybody out.

What writes the files of a host writes them here too: profiles of pam-auth-update, features of authselect.
Where options are changed in place, the former ones stay in the file as a comment, and the undo takes those.
"""

from __future__ import annotations

from checks.fix import Language, Snippet

_AUTHSELECT = "[ -e /etc/authselect/authselect.conf ] && command -v authselect >/dev/null"
_NEITHER = (
    'else echo "neither authselect nor pam-auth-update is here: change the files by hand" >&2; exit 1; fi'
)
_PROFILES = "/usr/share/pam-configs"
_SHARED_ONLY = (
    "file=@{on}\ncase $file in */sshd|*/login|*/passwd)\n"
    '  echo "$file has rules of its own: let it take in the shared ones first" >&2; exit 1 ;; esac\n'
)
"""Profiles and features change what services share; they leave a service with rules of its own as it is."""


def no_empty() -> tuple[Snippet, ...]:
    """Takes nullok from the pam_unix line of the file `@{on}`."""
    return (
        _options(
            "@{on}",
            "auth",
            "nullok",
            r"s/[[:space:]]nullok\(_secure\)\{0,1\}//",
            feature="authselect enable-feature without-nullok && authselect apply-changes",
            back="authselect disable-feature without-nullok && authselect apply-changes",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Refuse empty passwords\n"
            "  ansible.builtin.replace:\n"
            "    path: @{on}\n"
            "    regexp: '^([^#\\n]*pam_unix\\.so.*)\\snullok(_secure)?'\n"
            "    replace: '\\1'\n"
            "    backup: true",
        ),
    )


def slow_hash() -> tuple[Snippet, ...]:
    """Gives the pam_unix line of the file `@{file}` a slow hash in place of the one it has."""
    return (
        _options(
            "@{file}",
            "password",
            "hash",
            r"s/[[:space:]]\(md5\|bigcrypt\|des\)\>//;s/\([[:space:]]*\(#.*\)\{0,1\}\)$/ sha512\1/",
            feature='echo "authselect writes $file: choose a profile with a slow hash" >&2; exit 1',
            back="exit 1",
        ),
    )


def restrict_su() -> tuple[Snippet, ...]:
    """Puts pam_wheel into the file of su, behind the line that lets root through."""
    return (
        Snippet(
            Language.SHELL,
            "file=@{file}\n"
            "group=$(getent group wheel sudo | head -n 1 | cut -d: -f1)\n"
            '[ -n "$group" ] || { echo "make a group of administrators first" >&2; exit 1; }\n'
            "# Who becomes root with su and root's password must be in the group first.\n"
            'if [ "$(passwd -S root | cut -d" " -f2 | cut -c1)" = P ] &&\n'
            '  [ -z "$(getent group "$group" | cut -d: -f4)" ]; then\n'
            '  echo "put the administrators into the group $group first" >&2; exit 1\nfi\n'
            'awk -v "line=auth required pam_wheel.so use_uid group=$group" \'\n'
            "  !done && /^auth/ && !/pam_rootok/ { print line; done = 1 }\n"
            "  !done && /^@include/ { print line; done = 1 }\n"
            "  { print }\n"
            '  /^auth.*pam_rootok/ && !done { print line; done = 1 }\' "$file" >"$file.new" &&\n'
            '  grep -q pam_wheel.so "$file.new" && cat "$file.new" >"$file"; rm -f "$file.new"',
            "file=@{file}\nsed -i '/^auth required pam_wheel\\.so use_uid group=/d' \"$file\"",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Limit su to a group of administrators\n"
            "  community.general.pamd:\n"
            "    name: su\n    type: auth\n    control: sufficient\n    module_path: pam_rootok.so\n"
            "    new_type: auth\n    new_control: required\n    new_module_path: pam_wheel.so\n"
            "    module_arguments: use_uid\n    state: after\n    backup: true",
        ),
    )


def lock_out() -> tuple[Snippet, ...]:
    """Lets pam_faillock lock an account after `@{deny}` wrong passwords for `@{seconds}` seconds."""
    before = "#before lockout: "
    return (
        Snippet(
            Language.SHELL,
            f"{_SHARED_ONLY}"
            "deny=@{deny}\nseconds=@{seconds}\nconf=/etc/security/faillock.conf\n"
            f"if {_AUTHSELECT}; then authselect enable-feature with-faillock && authselect apply-changes\n"
            "elif command -v pam-auth-update >/dev/null; then\n"
            f"  printf 'Name: Count wrong passwords\\nDefault: no\\nPriority: 0\\nAuth-Type: Primary\\n"
            "Auth:\\n\\t[default=die]\\tpam_faillock.so authfail\\n' "
            f">{_PROFILES}/lockout-count\n"
            f"  printf 'Name: Refuse locked accounts\\nDefault: no\\nPriority: 1024\\nAuth-Type: Primary\\n"
            "Auth:\\n\\trequisite\\tpam_faillock.so preauth\\nAccount-Type: Primary\\n"
            "Account:\\n\\trequired\\tpam_faillock.so\\n' "
            f">{_PROFILES}/lockout-refuse\n"
            "  DEBIAN_FRONTEND=noninteractive pam-auth-update --enable lockout-count lockout-refuse\n"
            f"{_taken('pam_faillock', 'auth', 'lockout-count', 'lockout-refuse')}\n"
            f"{_NEITHER}\n"
            f'sed -i "s/^[[:space:]]*\\(deny\\|unlock_time\\)[[:space:]=].*/{before}&/" "$conf" &&\n'
            '  printf \'deny = %s\\nunlock_time = %s\\n\' "$deny" "$seconds" >>"$conf"',
            "deny=@{deny}\nseconds=@{seconds}\nconf=/etc/security/faillock.conf\n"
            f"if {_AUTHSELECT}; then authselect disable-feature with-faillock && authselect apply-changes\n"
            "else DEBIAN_FRONTEND=noninteractive pam-auth-update --remove lockout-count lockout-refuse\n"
            f"  rm -f {_PROFILES}/lockout-count {_PROFILES}/lockout-refuse; fi\n"
            f'sed -i -e "/^deny = $deny\\$/d" -e "/^unlock_time = $seconds\\$/d" -e "s/^{before}//" "$conf"',
        ),
    )


def remember() -> tuple[Snippet, ...]:
    """Lets pam_pwhistory remember `@{good}` passwords."""
    before = "#before history: "
    return (
        Snippet(
            Language.SHELL,
            f"{_SHARED_ONLY}"
            "count=@{good}\nconf=/etc/security/pwhistory.conf\n"
            f"if {_AUTHSELECT}; then\n"
            "  authselect enable-feature with-pwhistory && authselect apply-changes &&\n"
            f'  sed -i "s/^[[:space:]]*remember[[:space:]=].*/{before}&/" "$conf" &&\n'
            '  printf \'remember = %s\\n\' "$count" >>"$conf"\n'
            "elif command -v pam-auth-update >/dev/null; then\n"
            "  printf 'Name: Refuse former passwords\\nDefault: no\\nPriority: 512\\nPassword-Type: "
            "Primary\\n"
            "Password:\\n\\trequisite\\tpam_pwhistory.so remember=%s enforce_for_root use_authtok\\n"
            "Password-Initial:\\n\\trequisite\\tpam_pwhistory.so remember=%s enforce_for_root\\n' "
            f'"$count" "$count" >{_PROFILES}/password-history\n'
            "  DEBIAN_FRONTEND=noninteractive pam-auth-update --enable password-history\n"
            f"{_taken('pam_pwhistory', 'password', 'password-history')}\n"
            f"{_NEITHER}",
            "count=@{good}\nconf=/etc/security/pwhistory.conf\n"
            f"if {_AUTHSELECT}; then\n"
            "  authselect disable-feature with-pwhistory && authselect apply-changes\n"
            f'  sed -i -e "/^remember = $count\\$/d" -e "s/^{before}//" "$conf"\n'
            "else DEBIAN_FRONTEND=noninteractive pam-auth-update --remove password-history\n"
            f"  rm -f {_PROFILES}/password-history; fi",
        ),
    )


def _taken(module: str, kind: str, *profiles: str) -> str:
    """Ends with an error, and leaves no profile behind, where pam-auth-update refused to write."""
    files = " ".join(f"{_PROFILES}/{name}" for name in profiles)
    return (
        f"  grep -q {module} /etc/pam.d/common-{kind} || {{\n"
        f"    rm -f {files}\n"
        '    echo "pam-auth-update refused: the files were changed by hand" >&2; exit 1; }'
    )


def _options(place: str, kind: str, name: str, edit: str, *, feature: str, back: str) -> Snippet:
    """Edits what stands behind pam_unix in the first line of that kind.

    pam-auth-update keeps changed options and refuses changed lines, so what stood there goes behind the part
    that it writes, and the undo takes it from there.
    """
    line = rf"^[[:space:]]*-\{{0,1\}}{kind}[[:space:]].*pam_unix\.so"
    return Snippet(
        Language.SHELL,
        f"file={place}\n"
        f"if {_AUTHSELECT}; then {feature}\nelse\n"
        f"  rest=$(sed -n 's/{line}\\(.*\\)$/\\1/p' \"$file\" | head -n 1)\n"
        f"  sed -i '/{line}/{{{edit}}}' \"$file\" &&\n"
        f'    printf \'#before {name}:%s\\n\' "$rest" >>"$file"\nfi',
        f"file={place}\n"
        f"if {_AUTHSELECT}; then {back}\nelse\n"
        f"  rest=$(sed -n 's/^#before {name}://p' \"$file\" | head -n 1); export rest\n"
        f"  awk '/^#before {name}:/ {{ next }}\n"
        f"    !done && /^[ \\t]*-?{kind}[ \\t].*pam_unix\\.so/ {{\n"
        '      sub(/pam_unix\\.so.*/, ""); $0 = $0 "pam_unix.so" ENVIRON["rest"]; done = 1 }\n'
        '    { print }\' "$file" >"$file.new" && cat "$file.new" >"$file"; rm -f "$file.new"\nfi',
    )
