"""What wrong, old and empty passwords lead to, under which hash new ones are kept, and who may use su."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.login_rules import LoginDefs
from checks.facts.host.pam import INCLUDES, Pam
from checks.fix import Effort, Fix
from checks.host import pam_fixes
from checks.host.pam_stacks import REFERENCE, first, none, stacks, unread, value
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect, unknown

_LOCKS = ("pam_faillock", "pam_tally2", "pam_tally")
_HASHES = ("yescrypt", "gost_yescrypt", "blowfish", "sha512", "sha256", "md5", "bigcrypt", "des")
_STRONG = frozenset({"yescrypt", "gost_yescrypt", "blowfish", "bcrypt", "sha512", "sha256"})


@check(
    "host.pam.su-restrict",
    title="Only a named group may use su",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Limit su to a group of administrators",
        do="Let pam_wheel guard su: only members of the administrators' group may use it. Put everybody who "
        "becomes root with su into that group first, or give them sudo.",
        verify="grep pam_wheel @{file}   # auth required pam_wheel.so use_uid",
        effort=Effort(setup=0.5, each=0.05),
        undo="Take the line out of the file again.",
        snippets=pam_fixes.restrict_su(),
    ),
    refs=(REFERENCE,),
)
def su_restrict(found: Pam) -> Verdicts:
    """With su any stolen service account may try root's password as often as it likes, past SSH's rules."""
    if not found.has("su"):
        yield from unread(found)
        yield unknown("su", "PAM has no file for su: whether there is a su that asks PAM was not seen")
        return
    # `su -` has a file of its own on some systems, which takes in that of su on most of them.
    for name in [one for one in ("su", "su-l") if found.has(one)]:
        rule = first(found.stack(name, "auth"), "pam_wheel")
        hard = rule is not None and rule.control in ("required", "requisite")
        held = hard and rule is not None and "deny" not in rule.arguments and "trust" not in rule.arguments
        saw = f"{rule.control} pam_wheel {' '.join(rule.arguments)}".strip() if rule else "no pam_wheel"
        if name == "su" or not _takes_in(found, name, "su"):
            yield expect(
                held,
                on=name,
                saw=saw,
                want="required pam_wheel",
                values={"file": f"/etc/pam.d/{name}"},
                cite=f"pam.d/{name}\t",
            )


def _takes_in(found: Pam, name: str, other: str) -> bool:
    """Whether the file takes in the other for its logins: one change then does for both."""
    rules = [rule for file in found.files if file.name == name for rule in file.rules]
    return any(
        rule.kind in ("auth", "") and rule.control in INCLUDES and rule.module.rpartition("/")[2] == other
        for rule in rules
    )


@check(
    "host.pam.lockout",
    title="Wrong passwords lock an account for a time",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Lock accounts for a time after wrong passwords",
        do="Let pam_faillock count wrong passwords: @{deny} of them lock the account for @{seconds} seconds. "
        "Have a second way in while you set it up, such as a login with a key: whoever knows a name can "
        "lock it.",
        verify="grep -h pam_faillock @{on}; faillock   # preauth and authfail",
        effort=Effort(setup=1, each=0.1),
        undo="Take the profile or feature out again; `faillock --user NAME --reset` frees one account.",
        snippets=pam_fixes.lock_out(),
    ),
    refs=(REFERENCE,),
)
def lockout(found: Pam, *, most: int = 5, seconds: int = 900) -> Verdicts:
    """Without a limit a program tries passwords all night, at SSH and at every other login of the host."""
    there = list(stacks(found, "auth"))
    want = f"locked after {most} for {seconds} s or more"
    values = {"deny": str(most), "seconds": str(seconds)}
    for on, rules in there:
        locks = [rule for rule in rules if rule.module in _LOCKS]
        if not locks:
            yield expect(False, on=on, saw="nothing counts wrong passwords", want=want, values=values)
            continue
        faillock = locks[0].module == "pam_faillock"
        settings = found.settings.get("faillock", {}) if faillock else {}
        counted = [value(rule, settings, "deny", 3 if faillock else 0) for rule in locks]
        deny = max(counted)
        # pam_tally2 without a time locks until somebody unlocks.
        times = [value(rule, settings, "unlock_time", 600 if faillock else 0) for rule in locks]
        short = [time for time in times if 0 < time < seconds]
        both = not faillock or any("authfail" in rule.arguments for rule in locks)
        saw = f"after {deny} for {min(times)} s" if both else "failures are not counted: no authfail line"
        held = all(0 < one <= most for one in counted) and not short and both
        yield expect(held, on=on, saw=saw, want=want, values=values)
    yield from unread(found)
    if not there:
        yield none("auth")


@check(
    "host.pam.history",
    title="Former passwords cannot be used again",
    severity=Severity.LOW,
    fix=Fix(
        action="Refuse former passwords",
        do="Let pam_pwhistory remember @{good} passwords of each account and refuse them.",
        verify="grep -h pwhistory @{on}   # remember=",
        effort=Effort(setup=0.5, each=0.05),
        undo="Take the profile or feature out again.",
        snippets=pam_fixes.remember(),
    ),
    refs=(REFERENCE,),
)
def history(found: Pam, *, least: int = 24) -> Verdicts:
    """A password that comes back after a forced change is again the one that leaked before."""
    there = list(stacks(found, "password"))
    for on, rules in there:
        rule, unix = first(rules, "pam_pwhistory"), first(rules, "pam_unix")
        settings = found.settings.get("pwhistory", {})
        number = value(rule, settings, "remember", 10) if rule else value(unix, {}, "remember", 0)
        yield expect(
            number >= least,
            on=on,
            saw=f"{number} are remembered" if number else "none are remembered",
            want=f"{least} or more",
            values={"good": str(least)},
        )
    yield from unread(found)
    if not there:
        yield none("password")


@check(
    "host.pam.hash",
    title="New passwords are kept under a slow hash",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Keep new passwords under a slow hash",
        do="Give pam_unix in @{on} the word sha512 or yescrypt in place of @{saw}, set ENCRYPT_METHOD in "
        "/etc/login.defs to the same, and have passwords renewed: the old hashes stay until then.",
        verify="grep -h '^password.*pam_unix' @{on}   # yescrypt or sha512",
        effort=Effort(setup=0.25, each=0.05),
        undo="Put the kept line back.",
        snippets=pam_fixes.slow_hash(),
    ),
    refs=(REFERENCE,),
)
def hash(found: Pam, defs: LoginDefs, *, strong: frozenset[str] = _STRONG) -> Verdicts:  # noqa: A001
    """A copied file of MD5 or DES hashes is guessed in hours; slow hashes hold for years."""
    method = defs.settings.get("ENCRYPT_METHOD", "").lower()
    there = list(stacks(found, "password"))
    for on, rules in there:
        for rule in [one for one in rules if one.module.startswith("pam_unix")][:1]:
            # The last word stands; blowfish and sha512 may have rounds, which are words of their own.
            named = [word for word in reversed(rule.arguments) if word in _HASHES]
            # Without a word of its own pam_unix takes that of login.defs, and without any of both DES.
            chosen = named[0] if named else method or "des"
            yield expect(
                chosen in strong,
                on=on,
                saw=chosen,
                want=" or ".join(sorted(strong)),
                values={"file": rule.file},
            )
    yield from unread(found)
    if not there:
        yield none("password")


@check(
    "host.pam.nullok",
    title="An empty password opens nothing",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Refuse empty passwords",
        do="Take the word nullok from the pam_unix line of @{on}. Accounts without a password can then no "
        "longer log in with none: see first that there are none that must.",
        verify="grep -c '^[^#].*nullok' @{on}   # 0",
        effort=Effort(setup=0.25, each=0.05),
        undo="Put the kept line back.",
        snippets=pam_fixes.no_empty(),
    ),
    refs=(REFERENCE,),
)
def nullok(found: Pam) -> Verdicts:
    """One account whose password was emptied by accident or by an intruder is then open to everybody."""
    bad: dict[str, str] = {}
    seen = False
    for file in found.files:
        for rule in file.rules:
            if rule.kind == "auth" and rule.module.startswith("pam_unix"):
                seen = True
                words = [word for word in rule.arguments if word in ("nullok", "nullok_secure")]
                if words:
                    bad[rule.file] = words[0]
    for path, word in bad.items():
        yield expect(False, on=path, saw=word, want="no nullok")
    yield from unread(found)
    if not seen:
        yield none("auth")
    elif not bad:
        yield expect(True, on="PAM", saw="no nullok", want="no nullok")
