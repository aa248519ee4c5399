"""What web servers give out that nobody meant to publish."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, make_check
from checks.facts.network.web import Shown, WebPath, WebPaths
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdict, Verdicts, expect, unknown


@dataclass(frozen=True, slots=True)
class Leak:
    """A kind of thing that a server gives out: the names of the collector's table, and what to do.

    `lines` are for nginx, in the server block; `hours` to set it up, half of it for each server.
    """

    name: str
    title: str
    things: frozenset[str]
    severity: Severity
    exploit: Exploit
    why: str
    action: str
    do: str
    lines: str
    hours: float = 0.5
    disruption: Disruption = Disruption.NONE
    impact: Impact | None = None
    weakness: Weakness | None = None


_LEAKS = (
    Leak(
        name="version-control",
        title="No web server hands out the history of its source code",
        things=frozenset({"git", "subversion"}),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="With the folder of the version control, anybody rebuilds the source code, and often finds "
        "passwords in its history.",
        action="Take the version control's folder off the web",
        do="Deploy an export, not a working copy; refuse every path that begins with a dot, and change the "
        "passwords and keys that the history holds.",
        lines="location ~ /\\.(git|svn|hg) { return 404; }",
    ),
    Leak(
        name="secret-files",
        title="No web server hands out files of settings",
        things=frozenset({"env", "wordpress-backup"}),
        severity=Severity.CRITICAL,
        impact=Impact.SERIOUS,
        exploit=Exploit.NO_EXPLOIT_NEEDED,
        weakness=Weakness.LEAKED_LONG_LIVED_KEY,
        why="Files of settings hold the passwords of databases and the keys of other services; they are "
        "looked for on every address of the internet.",
        action="Take files of settings off the web and change what they held",
        do="Move the file out of the folder that the server publishes, refuse its name, and change every "
        "password and key that is in it.",
        lines="location ~ (/\\.env|\\.bak|\\.old|\\.orig|~)$ { return 404; }",
        hours=4.0,
    ),
    Leak(
        name="information-pages",
        title="No web server shows strangers its state or settings",
        things=frozenset({"server-status", "phpinfo", "ds-store"}),
        severity=Severity.MEDIUM,
        exploit=Exploit.AUTOMATABLE,
        why="Such pages show paths, settings, addresses and requests of others, sometimes with their keys.",
        action="Remove pages that show the server's state",
        do="Delete the page, or let only the machine itself ask for it (`Require local` in Apache).",
        lines="location ~ ^/(server-status|phpinfo\\.php|\\.DS_Store)$ { return 404; }",
    ),
    Leak(
        name="directory-listing",
        title="No web server lists the files of a directory",
        things=frozenset({"listing"}),
        severity=Severity.MEDIUM,
        exploit=Exploit.AUTOMATABLE,
        why="A list of files shows what nobody linked to: copies, exports, and names to guess others by.",
        action="Turn listings of directories off",
        do="nginx: `autoindex off;`, also in each location that says `on`. Apache: `Options -Indexes`. "
        "lighttpd: `dir-listing.activate = "
        '"disable"`. A server whose purpose is a list of files: accept that risk for its port.',
        lines="autoindex off;",
    ),
    Leak(
        name="debug-consoles",
        title="No web application shows its debugger to strangers",
        things=frozenset(
            {
                "django-debug",
                "rails-debug",
                "werkzeug",
                "symfony-profiler",
                "laravel-ignition",
                "actuator",
                "pprof",
            }
        ),
        severity=Severity.HIGH,
        impact=Impact.TOTAL,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Debuggers show source code, settings and keys, and some of them run commands.",
        action="Turn the application's debugger off",
        do="Switch the framework to production (Django `DEBUG = False`, Flask without `--debug`, Symfony "
        "`APP_ENV=prod`, Laravel `APP_DEBUG=false`), expose only `health` of Spring's actuator, and bind "
        "pprof to loopback.",
        lines="location ~ ^/(console|_profiler|_ignition|actuator|debug)(/|$) { return 404; }",
        hours=1.0,
        disruption=Disruption.RESTART,
    ),
    Leak(
        name="trace",
        title="No web server sends requests back with TRACE",
        things=frozenset({"trace"}),
        severity=Severity.LOW,
        exploit=Exploit.HARDENING,
        why="TRACE shows the headers of a request as the server got them, with those that proxies added and "
        "scripts must not read.",
        action="Turn the method TRACE off",
        do="Apache: `TraceEnable off`. Others: refuse the method in the server or in the proxy before it.",
        lines="if ($request_method = TRACE) { return 405; }",
    ),
)


def _check(leak: Leak) -> Check[[WebPaths]]:
    def run(found: WebPaths) -> Verdicts:
        ports: dict[str, list[WebPath]] = {}
        for path in found.paths:
            if path.thing in leak.things:
                ports.setdefault(path.port, []).append(path)
        for port, paths in ports.items():
            yield _judged(port, paths)

    file = f"{_FOLDER}/10-{leak.name}.conf"
    return make_check(
        run,
        f"network.web-files.{leak.name}",
        title=leak.title,
        severity=leak.severity,
        impact=leak.impact,
        exploit=leak.exploit,
        surface=Surface.SERVICE,
        weakness=leak.weakness,
        why=leak.why,
        fix=Fix(
            action=leak.action,
            do=leak.do,
            verify=_TRACE if leak.name == "trace" else _GET,
            effort=Effort(setup=leak.hours, each=leak.hours / 2),
            disruption=leak.disruption,
            undo="Remove the rule and reload the server.",
            snippets=(
                Snippet(
                    Language.SHELL,
                    "# On @{target}, for nginx; `include` the file in the server block of port @{port}:\n"
                    f"mkdir -p {_FOLDER}\nprintf '%s\\n' '{leak.lines}' > {file}\n"
                    "nginx -t && systemctl reload nginx",
                    f"# Take the `include` of {file} out first.\n"
                    f"nginx -t && rm {file} && systemctl reload nginx",
                ),
            ),
            key=f"web-{leak.name}:@{{target}}:@{{on}}",
        ),
    )


_FOLDER = "/etc/nginx/snippets"
_GET = "curl -sk -o /dev/null -w '%{http_code}\\n' @{scheme}://@{target}:@{port}@{path}   # 403 or 404"
_TRACE = "curl -sk -o /dev/null -w '%{http_code}\\n' -X TRACE @{scheme}://@{target}:@{port}/   # 405"


def _judged(port: str, paths: list[WebPath]) -> Verdict:
    """One verdict for a port: what is shown outweighs what could not be decided, and that what is not."""
    shown = [path for path in paths if path.shown is Shown.YES]
    open_questions = [path for path in paths if path.shown is Shown.UNDECIDED]
    if open_questions and not shown:
        reason = "; ".join(f"{path.path}: {path.saw}" for path in open_questions)
        return unknown(port, reason, needs=f"an answer from {port}", port=port)
    told = shown or paths
    first = shown[0] if shown else paths[0]
    return expect(
        not shown,
        on=port,
        saw="; ".join(f"{path.path}: {path.saw}" for path in told),
        want="nothing of the kind is given out",
        port=port,
        values={"path": first.path if first.path.startswith("/") else "/nothing-here",
                "scheme": "https" if first.tls else "http"},
    )  # fmt: skip


LEAKS = tuple(_check(leak) for leak in _LEAKS)
