"""Whether databases and clusters refuse connections in the clear: one question for both."""

from __future__ import annotations

from collections.abc import Mapping

from checks.check import Check, make_check
from checks.cloud.setting import module_of, repair
from checks.facts.cloud.rds import TlsRule
from checks.facts.snapshot import Fact
from checks.fix import Fix
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

_ON = frozenset({"1", "on", "true", "enabled", "tls1.2+", "tls1.3+", "fips-140-3"})
_FROM: Mapping[str, tuple[int, int]] = {
    "postgres": (15, 0),
    "aurora-postgresql": (17, 0),
    "mysql": (9, 7),
    "mariadb": (11, 8),
    "docdb": (0, 0),
    "neptune": (0, 0),
}
"""From which release on an engine refuses by itself; the others let everybody choose."""
_WANT = "TLS is required"


def required(rule: TlsRule) -> bool:
    """Whether the rule leaves no connection in the clear."""
    if rule.value:
        return rule.value.lower() in _ON
    first = _FROM.get(rule.engine)
    return first is not None and _release(rule.version) >= first


def _release(version: str) -> tuple[int, int]:
    numbers = [int(part) if part.isdigit() else 0 for part in (*version.split("."), "0", "0")]
    return numbers[0], numbers[1]


def tls_only(identifier: str, fact: type[Fact], noun: str, *, cluster: bool) -> Check[[Fact]]:
    """The check of one kind: `noun` is what its titles call it."""

    def judge(found: Fact) -> Verdicts:
        rules: tuple[TlsRule, ...] = found.rules  # type: ignore[attr-defined]
        for one in rules:
            told = f"{one.setting} is {one.value}" if one.value else f"{one.setting} is left to {one.engine}"
            yield expect(
                required(one),
                on=one.arn,
                where=one.region,
                saw=f"{told}, which {'refuses' if required(one) else 'answers'} connections in the clear",
                want=_WANT,
                values={"id": one.id, "group": one.group, "setting": one.setting, **_new(one)},
            )

    judge.__annotations__["found"] = fact
    judge.__module__ = module_of(identifier)
    return make_check(
        judge,
        identifier,
        title=f"{noun} answer over TLS only",
        severity=Severity.MEDIUM,
        surface=Surface.CONTROL_PLANE,
        why="Clients that may choose fall back to the clear without a word, and whoever is on the way reads "
        "the password and every row.",
        fix=_fix(cluster),
        refs=("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html",),
    )


def _new(rule: TlsRule) -> Mapping[str, str]:
    return {"value": "enabled" if rule.setting == "tls" else "1"}


def _fix(cluster: bool) -> Fix:
    part = "db-cluster" if cluster else "db"
    name = f"--{part}-parameter-group-name"
    kinds = (
        "aws_rds_cluster_parameter_group (or aws_docdb_cluster_parameter_group,\n"
        "# aws_neptune_cluster_parameter_group)"
        if cluster
        else "aws_db_parameter_group"
    )
    change = (
        "{ printf 'ParameterName=%s,' @{setting}; printf 'ParameterValue=%s,' @{value}; "
        "printf 'ApplyMethod=pending-reboot'; } > tls.parameter &&\n"
        f"aws rds modify-{part}-parameter-group --region @{{region}} {name} @{{group}} "
        '--parameters "$(cat tls.parameter)"'
    )
    back = (
        "{ printf 'ParameterName=%s,' @{setting}; printf 'ApplyMethod=pending-reboot'; } > tls.parameter &&\n"
        f"aws rds reset-{part}-parameter-group --region @{{region}} {name} @{{group}} "
        '--parameters "$(cat tls.parameter)"'
    )
    return repair(
        "Require TLS at the databases of parameter group @{group}",
        "Look first who connects in the clear (pg_stat_ssl, or Ssl_cipher in MySQL), and give those clients "
        "the certificates of RDS. Then set @{setting} to @{value} in the parameter group; a group that "
        "begins with default. cannot be changed, so make one of your own and give it to @{id}.",
        f"aws rds describe-{part}-parameters --region @{{region}} {name} @{{group}} --source user --query "
        f"'Parameters[].[ParameterName,ParameterValue]' --output text | grep -F @{{setting}}   # @{{value}}",
        change,
        back,
        terraform=f"# In the {kinds} with name @{{group}}:\n"
        "parameter {\n  name         = @{setting}\n  value        = @{value}\n"
        '  apply_method = "pending-reboot"\n}\n',
        hours=(0.5, 1.0),
        back="Give the parameter its former value; clients in the clear are answered again.",
        key="rds:require-tls @{region} @{group}",
    )
