"""Containers, clusters of Kubernetes, and directories of users."""

from __future__ import annotations

from typing import Any

from tests.lab.account_compute import CANARY, with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

LOGGED = {"logDriver": "awslogs", "options": {"awslogs-group": "compute"}}


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _tasks(lab)
    _clusters(lab)
    _user_pools(lab)
    _identity_pools(lab)
    with_peers(lab, first)


def _task(lab: Lab, name: str, *, region: str = MAIN, task: dict[str, Any] | None = None, **more: Any) -> str:
    """A definition with one container, as it should be but for what is given; its ARN."""
    container = {
        "name": "app",
        "image": "example.org/app:1",
        "memory": 128,
        "user": "1000",
        "readonlyRootFilesystem": True,
        "logConfiguration": LOGGED,
        **more,
    }
    made = lab.client("ecs", region).register_task_definition(
        family=name, containerDefinitions=[_said(container)], **(task or {})
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def _tasks(lab: Lab) -> None:
    bad = (
        ("privileged", "privileged", "a privileged container", {"privileged": True}),
        ("root-user", "root", "root by its number and group", {"user": "0:1000"}),
        ("logs", "silent", "no log driver", {"logConfiguration": None}),
        ("read-only", "writable", "nothing is said: files can be changed", {"readonlyRootFilesystem": None}),
        ("secrets", "variable", "a password in a variable", {"environment": [_var("DB_PASSWORD", CANARY)]}),
        ("secrets", "url", "within a URL", {"environment": [_var("STORE", f"amqp://app:{CANARY}@mq:5671/")]}),
        ("secrets", "command", "in its command", {"command": ["serve", f"--password={CANARY}"]}),
        ("secrets", "health", "in the check of its health",
         {"healthCheck": {"command": ["CMD", "ask", f"--password={CANARY}"]}}),
        ("secrets", "splunk", "in the options of its log",
         {"logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": CANARY}}}),
        ("logs", "staying", "a log that goes with the container",
         {"logConfiguration": {"logDriver": "json-file"}}),
    )  # fmt: skip
    for check, name, note, more in bad:
        arn = _task(lab, f"compute-{name}", **more)
        fools = name in ("url", "command", "root", "writable", "health", "splunk", "staying")
        lab.problem(f"cloud.ecs.{check}", arn, note, region=MAIN, fools=fools)
    _machines(lab)
    _clean_tasks(lab)


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    """What is None is left out altogether."""
    return {key: value for key, value in fields.items() if value is not None}


def _var(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _machines(lab: Lab) -> None:
    socket = {"volumes": [{"name": "s", "host": {"sourcePath": "/var/run/docker.sock"}}]}
    mount = [{"sourceVolume": "s", "containerPath": "/docker.sock"}]
    arn = _task(lab, "compute-agent", task=socket, mountPoints=mount)
    lab.problem("cloud.ecs.host-files", arn, "mounts the socket of the runtime", region=MAIN)
    slash = {"volumes": [{"name": "s", "host": {"sourcePath": "/var/../"}}]}
    arn = _task(lab, "compute-slash", task=slash, mountPoints=mount)
    lab.problem("cloud.ecs.host-files", arn, "the root, by another way", region=MAIN, fools=True)
    proc = {"volumes": [{"name": "s", "host": {"sourcePath": "/proc/"}}]}
    arn = _task(lab, "compute-metrics", task=proc, mountPoints=[{**mount[0], "readOnly": True}])
    lab.clean("cloud.ecs.host-files", arn, "reads it alone", region=MAIN, fools=True)
    twice = {"volumes": [{"name": "s", "host": {"sourcePath": "//"}}]}
    arn = _task(lab, "compute-twice", task=twice, mountPoints=[{**mount[0], "readOnly": True}])
    lab.problem("cloud.ecs.host-files", arn, "reads everything", region=MAIN, fools=True)
    arn = _task(lab, "compute-idle", task=socket)
    lab.clean("cloud.ecs.host-files", arn, "a volume that nobody mounts", region=MAIN, fools=True)
    data = {"volumes": [{"name": "s", "host": {"sourcePath": "/var/data/shop"}}, {"name": "t"}]}
    arn = _task(lab, "compute-data", task=data, mountPoints=mount)
    lab.clean("cloud.ecs.host-files", arn, "a directory of its own", region=MAIN)
    arn = _task(lab, "compute-watcher", task={"pidMode": "host"})
    lab.problem("cloud.ecs.host-namespaces", arn, "sees all processes of the machine", region=MAIN)
    arn = _task(lab, "compute-sidecar", task={"pidMode": "task", "ipcMode": "task"})
    lab.clean("cloud.ecs.host-namespaces", arn, "shares them within the task alone", region=MAIN, fools=True)
    arn = _task(lab, "compute-neighbour", region=OTHER, task={"networkMode": "host"}, user="root")
    lab.problem("cloud.ecs.host-network", arn, "root in the network of the machine", region=OTHER)
    arn = _task(lab, "compute-somebody", region=OTHER, task={"networkMode": "host"}, user=None)
    lab.problem("cloud.ecs.host-network", arn, "no user is named: root", region=OTHER, fools=True)
    arn = _task(lab, "compute-proxy", region=OTHER, task={"networkMode": "host"})
    lab.clean("cloud.ecs.host-network", arn, "in that network, but not root", region=OTHER, fools=True)


def _clean_tasks(lab: Lab) -> None:
    ecs = lab.client("ecs", MAIN)
    given = [
        _var("DB_PASSWORD", f"arn:aws:secretsmanager:{MAIN}:{lab.account}:secret:db"),
        _var("API_TOKEN", "{{resolve:secretsmanager:api}}"),
        _var("TOKEN_TTL", "3600"),
    ]
    referred = [{"name": "PASSWORD", "valueFrom": f"arn:aws:ssm:{MAIN}:{lab.account}:parameter/db"}]
    _task(lab, "compute-clean", environment=[_var("DB_PASSWORD", CANARY)])
    arn = _task(lab, "compute-clean", environment=given, secrets=referred)
    lab.clean("cloud.ecs.secrets", arn, "the names smell, the values are references", region=MAIN, fools=True)
    for check in ("privileged", "root-user", "logs", "read-only", "host-network", "host-namespaces"):
        lab.clean(f"cloud.ecs.{check}", arn, "as it should be", region=MAIN)
    # Windows has neither.
    windows = {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}
    arn = _task(lab, "compute-windows", task=windows, user=None, readonlyRootFilesystem=None)
    lab.clean("cloud.ecs.read-only", arn, "Windows has no files to lock so", region=MAIN, fools=True)
    # A definition that is inactive cannot be started: nobody hears of it.
    gone = _task(lab, "compute-gone", privileged=True, environment=[_var("DB_PASSWORD", CANARY)])
    ecs.deregister_task_definition(taskDefinition=gone)
    # Of two revisions the newer one counts.
    arn = _task(lab, "compute-again", privileged=True)
    newer = _task(lab, "compute-again")
    lab.clean("cloud.ecs.privileged", newer, "an older revision was privileged", region=MAIN, fools=True)
    _running(lab)


def _running(lab: Lab) -> None:
    """Tasks of revisions that are not the newest, or not active any more."""
    ecs = lab.client("ecs", MAIN)
    ecs.create_cluster(clusterName="compute-tasks")
    older = _task(lab, "compute-running", privileged=True)
    newer = _task(lab, "compute-running")
    gone = _task(lab, "compute-still", privileged=True)
    for arn in (older, newer, gone):
        ecs.run_task(cluster="compute-tasks", taskDefinition=arn, launchType="FARGATE")
    ecs.deregister_task_definition(taskDefinition=gone)
    check = "cloud.ecs.privileged"
    lab.problem(check, older, "a task of an older revision runs", region=MAIN, fools=True)
    lab.clean(check, newer, "the newest revision", region=MAIN)
    lab.problem(check, gone, "a task of it runs, though it is inactive", region=MAIN, fools=True)


ALL_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def _clusters(lab: Lab) -> None:
    cases: dict[str, dict[str, Any]] = {
        "open": {"version": "1.29"},
        "halves": {"cidrs": ["0.0.0.0/1", "128.0.0.0/1"], "logs": ["api"], "version": "1.18"},
        "office": {"cidrs": ["198.51.100.0/24"], "key": True, "logs": ALL_LOGS, "protected": True},
        "inner": {"public": False, "logs": ["api", "audit", "authenticator"], "version": "1.34"},
    }
    for region, names in ((MAIN, ("halves", "inner", "office", "open")), (OTHER, ())):
        lab.answer("eks", "ListClusters", {"clusters": [f"compute-{n}" for n in names]}, region=region)
    arns = {}
    for name, given in cases.items():
        arns[name] = f"arn:aws:eks:{MAIN}:{lab.account}:cluster/compute-{name}"
        told = {"cluster": _cluster(arns[name], f"compute-{name}", **given)}
        lab.answer("eks", "DescribeCluster", told, region=MAIN, about=f"compute-{name}")
    _told_clusters(lab, arns)


def _cluster(
    arn: str,
    name: str,
    *,
    version: str = "1.35",
    public: bool = True,
    cidrs: list[str] | None = None,
    logs: list[str] | None = None,
    key: bool = False,
    protected: bool = False,
) -> dict[str, Any]:
    off = [one for one in ALL_LOGS if one not in (logs or ())]
    parts = [(kinds, on) for kinds, on in ((logs or [], True), (off, False)) if kinds]
    provider = {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}
    told: dict[str, Any] = {
        "name": name,
        "arn": arn,
        "version": version,
        "status": "ACTIVE",
        "resourcesVpcConfig": {
            "endpointPublicAccess": public,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": cidrs or ["0.0.0.0/0"],
        },
        "logging": {"clusterLogging": [{"types": kinds, "enabled": on} for kinds, on in parts]},
        "deletionProtection": protected,
    }
    return {**told, "encryptionConfig": [{"resources": ["secrets"], "provider": provider}]} if key else told


def _told_clusters(lab: Lab, arns: dict[str, str]) -> None:
    check = "cloud.eks.public-endpoint"
    lab.problem(check, arns["open"], "open to the world", region=MAIN)
    lab.problem(check, arns["halves"], "open in two halves", region=MAIN, fools=True)
    lab.clean(check, arns["office"], "public, but for an office alone", region=MAIN, fools=True)
    lab.clean(check, arns["inner"], "not public; the networks count for nothing", region=MAIN, fools=True)
    check = "cloud.eks.supported-release"
    lab.problem(check, arns["open"], "out of support", region=MAIN)
    lab.problem(check, arns["halves"], "so old that no calendar shows it", region=MAIN, fools=True)
    lab.clean(check, arns["inner"], "supported for another week", region=MAIN)
    check = "cloud.eks.logs"
    lab.problem(check, arns["open"], "all kinds are named, and off", region=MAIN, fools=True)
    lab.problem(check, arns["halves"], "without the audit log", region=MAIN)
    lab.clean(check, arns["inner"], "the three that tell who did what", region=MAIN)
    lab.problem("cloud.eks.secrets-key", arns["open"], "no key", region=MAIN)
    lab.clean("cloud.eks.secrets-key", arns["office"], "a key of its own", region=MAIN)
    lab.problem("cloud.eks.deletion-protection", arns["open"], "not protected", region=MAIN)
    lab.clean("cloud.eks.deletion-protection", arns["office"], "protected", region=MAIN)


def _user_pools(lab: Lab) -> None:
    cognito = lab.client("cognito-idp", MAIN)
    good = cognito.create_user_pool(
        PoolName="compute-staff",
        Policies={"PasswordPolicy": {"MinimumLength": 14}},
        MfaConfiguration="ON",
        DeletionProtection="ACTIVE",
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"},
    )["UserPool"]["Arn"]
    bad = cognito.create_user_pool(PoolName="compute-shop")["UserPool"]["Arn"]
    watched = lab.client("cognito-idp", OTHER).create_user_pool(
        PoolName="compute-watched", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"},
        MfaConfiguration="OPTIONAL", Policies={"PasswordPolicy": {"MinimumLength": 6}},
    )["UserPool"]["Arn"]  # fmt: skip
    for check in (
        "deletion-protection",
        "passwords",
        "second-factor",
        "self-sign-up",
        "threat-protection",
    ):
        lab.problem(f"cloud.cognito.{check}", bad, "all as AWS makes it", region=MAIN)
        lab.clean(f"cloud.cognito.{check}", good, "as it should be", region=MAIN)
    lab.problem("cloud.cognito.threat-protection", watched, "recorded only", region=OTHER, fools=True)
    lab.problem("cloud.cognito.passwords", watched, "six characters are enough", region=OTHER)
    lab.clean("cloud.cognito.second-factor", watched, "offered", region=OTHER)


def _identity_pools(lab: Lab) -> None:
    made: list[dict[str, str]] = []
    role = f"arn:aws:iam::{lab.account}:role/compute-guests"
    for name, guests, classic in (("open", True, True), ("empty", True, False), ("closed", False, False)):
        pool = f"{MAIN}:00000000-0000-4000-8000-00000000000{len(made)}"
        made.append({"IdentityPoolId": pool, "IdentityPoolName": f"compute-{name}"})
        told = {**made[-1], "AllowUnauthenticatedIdentities": guests, "AllowClassicFlow": classic}
        lab.answer("cognito-identity", "DescribeIdentityPool", told, region=MAIN, about=pool)
        roles = {"unauthenticated": role} if name == "open" else {"authenticated": role}
        told = {"IdentityPoolId": pool, "Roles": roles}
        lab.answer("cognito-identity", "GetIdentityPoolRoles", told, region=MAIN, about=pool)
        arn = f"arn:aws:cognito-identity:{MAIN}:{lab.account}:identitypool/{pool}"
        tell, fools = (lab.problem, False) if name == "open" else (lab.clean, name == "empty")
        note = {"open": "guests get a role", "empty": "guests, but no role for them", "closed": "no guests"}
        tell("cloud.cognito.guests", arn, note[name], region=MAIN, fools=fools)
        tell("cloud.cognito.classic-flow", arn, f"the classic flow is {classic}", region=MAIN)
    lab.answer("cognito-identity", "ListIdentityPools", {"IdentityPools": made}, region=MAIN)
    lab.answer("cognito-identity", "ListIdentityPools", {"IdentityPools": []}, region=OTHER)
