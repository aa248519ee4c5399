"""What runs as root at set times, and who may set such times."""

from __future__ import annotations

from collections.abc import Iterator

from checks.check import check
from checks.facts.host.files import FileMode
from checks.facts.host.scheduled import Allowed, ScheduleAccess, ScheduledJobs, ScheduledProgram
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_STICKY = 0o1000
_ALL = "run-parts"
"""What runs every file of a folder."""


@check(
    "host.scheduled.root-programs",
    title="What root's jobs run can be written by root alone",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Let only root write what its jobs run",
        do="Read `@{culprit}` first: somebody may have written into it. Then give it to root and close it to "
        "others, or let the job run under the account that owns it.",
        verify="stat -c '%a %U:%G' @{culprit}   # root, no write access for group and others",
        effort=Effort(setup=0.25, each=0.25),
        undo="Set the former owner and mode: @{former}.",
        snippets=(
            Snippet(
                Language.SHELL,
                "chown root -- @{culprit} && chmod go-w -- @{culprit}",
                "chown @{owner} -- @{culprit} && chmod @{mode} -- @{culprit}",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Let only root write what its jobs run\n"
                "  ansible.builtin.file:\n    path: @{culprit}\n    owner: root\n    mode: go-w",
            ),
        ),
        key="scheduled:@{culprit}",
    ),
)
def root_programs(found: ScheduledJobs) -> Verdicts:
    """Who writes a file that root runs every night is root the next morning."""
    steps = {one.path: one for one in found.steps}
    run = [(one, steps[one.target]) for one in found.programs if one.target in steps]
    run = [(one, file) for one, file in run if _runs(one, file)]
    bad = [(one, file) for one, file in run if _writable(file) and _reached(one.target, steps)]
    for one, file in bad:
        yield expect(
            False,
            on=f"{one.path} in {one.job}",
            saw=f"{file.path}: {_shown(file)}",
            want="written by root alone",
            severity=None if int(file.mode, 8) & 0o002 else Severity.HIGH,
            values={"culprit": file.path, "owner": file.owner, "mode": file.mode, "former": _shown(file)},
            cite=file.path,
        )
    yield from _rest(found, len(run), bool(bad))


@check(
    "host.scheduled.root-folders",
    title="What root's jobs run lies in folders that root alone writes",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Keep what root's jobs run in folders of root",
        do="Move `@{program}` out of @{culprit}, to a folder of root alone (/usr/local/sbin), and name "
        "the new place in @{job}. Closing the folder would shut out whoever works in it, so a person "
        "decides.",
        verify="stat -c '%a %U:%G' @{culprit}   # root, no write access for group and others, or not in use",
        effort=Effort(setup=0.25, each=0.25),
        undo="Put the program and its line back.",
        key="scheduled:@{culprit}",
    ),
)
def root_folders(found: ScheduledJobs) -> Verdicts:
    """Who writes the folder of a program puts another in its place, or makes one that is missing there."""
    steps = {one.path: one for one in found.steps}
    run = [one for one in found.programs if one.first or one.called == _ALL or one.target in steps]
    run = [
        one for one in run if one.called == _ALL or one.target not in steps or _runs(one, steps[one.target])
    ]
    bad = [(one, culprit) for one in run if (culprit := _folder(one, steps)) is not None]
    for one, culprit in bad:
        missing = "" if one.target in steps else ", and the program is missing there"
        yield expect(
            False,
            on=f"{one.path} in {one.job}",
            saw=f"{culprit.path}: {_shown(culprit)}{missing}",
            want="folders that root alone writes",
            severity=None if int(culprit.mode, 8) & 0o002 else Severity.HIGH,
            values={"culprit": culprit.path, "program": one.path, "job": one.job},
            cite=culprit.path,
        )
    yield from _rest(found, len(run), bool(bad))


def _rest(found: ScheduledJobs, run: int, failed: bool) -> Verdicts:
    """The unknowns of what could not be read, and a pass where all was read and nothing failed."""
    for path in found.unread:
        yield unknown(path, f"{path} may not be read", needs=f"sudo: grep and find in {path}")
    if not failed and (run or not found.unread):
        saw = f"{run} programs of {found.jobs} jobs" if run else "no job of root names a program"
        yield expect(True, on="root's jobs", saw=saw, want="written by root alone")


def _shown(step: FileMode) -> str:
    return f"{step.mode} {step.owner}:{step.group}"


def _runs(program: ScheduledProgram, file: FileMode) -> bool:
    """Whether that word of a command is run, or read by an interpreter; a log to write to is neither."""
    return file.kind.startswith("regular") and bool(int(file.mode, 8) & 0o111 or program.called)


def _above(path: str, steps: dict[str, FileMode]) -> Iterator[FileMode]:
    """The folders on the way to a path as far as others get: a closed one is the last."""
    parts = path.strip("/").split("/")
    for count in range(len(parts)):
        step = steps.get("/" + "/".join(parts[:count]))
        if step is None:
            return
        yield step
        if _closed(step):
            return


def _closed(folder: FileMode) -> bool:
    return folder.owner == "root" and not int(folder.mode, 8) & 0o011


def _reached(path: str, steps: dict[str, FileMode]) -> bool:
    return not any(_closed(step) for step in _above(path, steps))


def _folder(program: ScheduledProgram, steps: dict[str, FileMode]) -> FileMode | None:
    """The folder in which others may put a program in place of this one, if there is one."""
    for path in dict.fromkeys((program.target, program.path)):
        above = list(_above(path, steps))
        for step in above:
            if _writable(step):
                return step
        inside = steps.get(path)
        if inside and program.called == _ALL and _open(inside) and _reached(path, steps):
            return inside
        last = above[-1] if above else None
        # A sticky folder guards what is in it; what is missing anybody may add.
        if path not in steps and last is not None and int(last.mode, 8) & 0o002:
            return last
    return None


def _open(folder: FileMode) -> bool:
    """Whether others may add files to that folder: the sticky bit keeps them from replacing only."""
    return folder.kind == "directory" and (_writable(folder) or bool(int(folder.mode, 8) & 0o002))


def _writable(step: FileMode) -> bool:
    bits = int(step.mode, 8)
    sticky = step.kind == "directory" and bool(bits & _STICKY)
    by_group = bits & 0o020 and step.group not in ("root", "wheel")
    return step.owner != "root" or (not sticky and bool(bits & 0o002 or by_group))


_ALLOW = Fix(
    action="Say who may schedule jobs",
    do="Make @{file} with the names of those who may schedule jobs, root first. Accounts whose jobs run "
    "today must be in it, or their jobs stop: look into /var/spool/cron first.",
    verify="stat -c '%a %U' @{file}   # 600 root, or 640 with the scheduler's group",
    effort=Effort(setup=0.25, each=0.05),
    undo="Remove the file again.",
    snippets=(
        Snippet(
            Language.SHELL,
            "file=@{file}\n"
            "# Accounts that have jobs today keep them.\n"
            "users=$(ls /var/spool/cron/crontabs /var/spool/cron/tabs /var/spool/cron 2>/dev/null |\n"
            '  while read -r name; do id -u -- "$name" >/dev/null 2>&1 && echo "$name"; done)\n'
            "case $file in *at.allow) users= ;; esac\n"
            '[ -e "$file" ] || { printf \'%s\\n\' root $users | sort -u >"$file" && chmod 600 "$file"; }',
            "rm -f -- @{file}",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Say who may schedule jobs\n"
            "  ansible.builtin.copy:\n"
            "    dest: @{file}\n"
            '    content: "root\\n"\n'
            '    mode: "0600"\n'
            "    force: false",
        ),
    ),
    key="scheduled:allow",
)


@check(
    "host.scheduled.cron-allow",
    title="Who may schedule jobs with cron is named",
    severity=Severity.LOW,
    fix=_ALLOW,
)
def cron_allow(found: ScheduleAccess) -> Verdicts:
    """A job is how an intruder with an ordinary account stays: it starts again after every reboot."""
    yield from _named(found, "cron")


@check(
    "host.scheduled.at-allow",
    title="Who may schedule jobs with at is named",
    severity=Severity.LOW,
    fix=_ALLOW,
)
def at_allow(found: ScheduleAccess) -> Verdicts:
    """A job of at runs once, at night, when nobody looks, and leaves no line in any table of jobs."""
    yield from _named(found, "at")


def _named(found: ScheduleAccess, name: str) -> Verdicts:
    for one in found.schedulers:
        if one.scheduler == name:
            yield _of(one)


def _of(one: Allowed) -> Verdict:
    file = f"/etc/{one.scheduler}.allow"
    if not one.installed:
        return not_applicable(one.scheduler, f"no program of {one.scheduler} is installed")
    if not one.asks:
        return not_applicable(
            one.scheduler, f"the {one.scheduler} of BusyBox knows no list of who may use it"
        )
    if one.unread and one.allow is None:
        return unknown(file, f"{file} or the deny file may not be read", needs=f"sudo: cat {file}")
    saw = "no such file"
    if one.allow is not None:
        saw = ", ".join(one.allow) or "nobody but root"
    # Without both files only root may use at; cron differs from build to build.
    closed = one.scheduler == "at" and one.allow is None and one.deny is None
    held = one.allow is not None or closed
    return expect(
        held,
        on=file,
        saw="neither file: only root may" if closed else saw,
        want="a file that names who may",
        values={"file": file},
    )
