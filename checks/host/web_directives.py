"""How one directive of nginx or Apache is set wherever it stands, and put back."""

from __future__ import annotations

from checks.fix import Language, Snippet

_PLACE = (
    "server=@{server}\ndirective=@{directive}\nvalue=@{good}\n"
    "case $server in\n"
    "  nginx) root=/etc/nginx; own=/etc/nginx/conf.d/hardening-$directive.conf; end=';'; "
    # What stands behind a directive of nginx on its line is another one.
    "old='[^;]*;\\(.*\\)'\n    "
    "check='nginx -t' ;;\n"
    "  *) root=/etc/apache2; own=/etc/apache2/conf-enabled/zz-hardening-$directive.conf\n"
    "    end= old='\\(\\).*'\n"
    "    if [ -d /etc/httpd ]; then root=/etc/httpd; own=/etc/httpd/conf.d/zz-hardening-$directive.conf; fi\n"
    "    check='apachectl -t' ;;\n"
    "esac\n"
    'files=$(grep -RliE "^(#before $directive: )?[[:space:]]*$directive[[:space:]]" "$root" |\n'
    "  xargs -r readlink -f | sort -u)\n"
)
_BACK = (
    'for file in $files; do sed -i "/^#before $directive: /{s/^#before $directive: //;n;d}" "$file"; done\n'
    'rm -f "$own"\n'
)
RELOAD = (
    "if pidof nginx apache2 httpd; then\n"
    '  systemctl reload "$server" || nginx -s reload || apachectl graceful\n'
    "fi >/dev/null 2>&1 || true"
)
"""Makes a running web server read its configuration again; the shell variable `server` names it."""


def directive() -> tuple[Snippet, ...]:
    """Sets `@{directive}` to `@{good}` in every file of `@{server}` that sets it, else in one of its own.

    The old line stays above the new one as a comment that names the directive.
    """
    back = "".join(f"  {line}\n" for line in _BACK.splitlines())
    return (
        Snippet(
            Language.SHELL,
            _PLACE + 'if [ "$files" ]; then\n'
            "  for file in $files; do\n"
            '    sed -i "s|^\\([[:space:]]*\\)$directive[[:space:]]$old|#before $directive: &\\n'
            '\\1$directive $value$end\\2|I" "$file"\n'
            "  done\n"
            'else printf \'%s %s%s\\n\' "$directive" "$value" "$end" >"$own"; fi\n'
            "if ! $check; then\n" + back + "  exit 1\nfi\n" + RELOAD,
            _PLACE + _BACK + RELOAD,
        ),
    )
