"""Docker on a host: who may command its daemon, and what its containers may do."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.containers import DockerContainers, DockerDaemon
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_MANUAL = "https://docs.docker.com/engine/security/protect-access/"


@check(
    "host.containers.api-guarded",
    title="Docker's API over TCP asks for a certificate",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Close Docker's API to those without a certificate",
        do="Take `@{saw}` out of the hosts of Docker's daemon (daemon.json, or `-H` in its unit) and "
        "use SSH for "
        "remote commands; where TCP is needed, switch `tlsverify` on with certificates for its clients. Who "
        "uses the port a person has to find out.",
        verify="ss -Hlnt sport = :@{port}   # nothing",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the former host back and restart Docker.",
    ),
    refs=(_MANUAL,),
)
def api_guarded(found: DockerDaemon) -> Verdicts:
    """Whoever may speak to Docker starts a container with all of the host's files in it: that is root."""
    over_tcp = [host for host in found.hosts if host.startswith(("tcp://", "http://"))]
    for host in over_tcp:
        address, _, port = host.partition("://")[2].rpartition(":")
        local = address in ("localhost", "[::1]") or address.startswith("127.")
        yield expect(
            found.verifies,
            on=host,
            saw=host if not found.verifies else "certificates are demanded",
            want="a socket file, or tlsverify",
            port=f"tcp/{port.strip('/') if port.strip('/').isdigit() else '2375'}",
            severity=Severity.HIGH if local else None,
            cite="tcp://",
        )
    if not over_tcp:
        yield expect(True, on="Docker's API", saw="not over TCP", want="a socket file, or tlsverify")


@check(
    "host.containers.registries",
    title="Docker takes images only from registries that prove who they are",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Give internal registries certificates",
        do="Give the registry `@{on}` a certificate that the host trusts, then take it out of "
        "`insecure-registries` in /etc/docker/daemon.json and restart Docker. The registry comes first, so a "
        "person does it.",
        verify="docker info --format '{{json .RegistryConfig.InsecureRegistryCIDRs}}'   # 127.0.0.0/8 only",
        effort=Effort(setup=2, each=0.1),
        disruption=Disruption.RESTART,
        undo="Put the registry back on the list and restart Docker.",
        key="docker-registry:@{on}",
    ),
)
def registries(found: DockerDaemon, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever stands on the way to such a registry puts programs of their own into its images."""
    bad = [one for one in dict.fromkeys(found.insecure_registries) if one not in allowed]
    for registry in bad:
        yield expect(False, on=registry, saw="taken without TLS or its check", want="a trusted certificate")
    if not bad:
        yield expect(True, on="registries", saw="none without TLS", want="none without TLS")


@check(
    "host.containers.socket",
    title="Only root and its group speak to the container engine",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Close the sockets of container engines to others",
        do="Take the rights of others on `@{on}` away, and give it to root.",
        verify="stat -c '%a %U' @{on}   # 660 root",
        effort=Effort(setup=0.25, each=0.05),
        undo="Set it back to @{saw}.",
        snippets=(
            Snippet(
                Language.SHELL,
                "chown root @{on} && chmod o-rwx @{on}",
                "chown @{owner} @{on} && chmod @{mode} @{on}",
            ),
        ),
        key="engine-socket:@{on}",
    ),
)
def socket(
    found: DockerDaemon, *, groups: frozenset[str] = frozenset({"root", "docker", "podman"})
) -> Verdicts:
    """Whoever may write to the socket starts a container with all of the host's files in it: that is root."""
    for one in found.sockets:
        others = int(one.mode, 8) & 0o007
        wide = int(one.mode, 8) & 0o020 and one.group not in groups
        yield expect(
            not others and not wide and one.owner == "root",
            on=one.path,
            saw=f"{one.mode} {one.owner}:{one.group}",
            want=f"0660 or tighter, root:{' or '.join(sorted(groups))}",
            values={"owner": one.owner, "mode": one.mode},
        )


@check(
    "host.containers.privileged",
    title="No container runs privileged",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Take the privileges of containers away",
        do="Start the container @{on} without `--privileged`, with only the devices and capabilities that it "
        "needs. Which those are only those know who made it, so a person does it.",
        verify="docker inspect --format '{{.HostConfig.Privileged}}' @{on}   # false",
        effort=Effort(setup=1, each=1),
        disruption=Disruption.RESTART,
        undo="Start it with the former options again.",
        key="privileged-container:@{on}",
    ),
)
def privileged(found: DockerContainers, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """A privileged container sees the host's disks and kernel: whoever breaks its program has the host."""
    bad = [one for one in found.containers if one.privileged and one.id not in allowed]
    for one in bad:
        yield expect(False, on=one.id, saw="privileged", want="not privileged")
    if not bad:
        yield expect(
            True, on="containers", saw=f"{len(found.containers)}, none privileged", want="none privileged"
        )
