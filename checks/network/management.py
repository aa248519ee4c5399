"""Interfaces that run machines and ask nobody who they are."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.consoles import RemoteManagements
from checks.facts.network.logins import DockerLogins, KubeletLogins
from checks.facts.network.screens import VncServers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.network.logins import logins
from checks.verdict import Verdicts, expect

_NO_LOGIN = 1
"""The security type of RFB that lets everybody in."""


@check(
    "network.management.docker-login",
    title="No Docker API answers without a client certificate",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Take the Docker API off the network",
        do="Remove the `tcp://` host from dockerd's options and use the socket, or SSH contexts; where TCP "
        "is "
        "needed, set `tlsverify` with a certificate authority of your own.",
        verify="curl -s -m 3 http://@{target}:@{port}/version   # no answer",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old daemon.json or unit override back and restart Docker.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}: dockerd must listen on its socket only, not on port @{port}\n"
                "mkdir -p /etc/systemd/system/docker.service.d\n"
                "printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/dockerd -H fd:// "
                "--containerd=/run/containerd/containerd.sock\\n' "
                "> /etc/systemd/system/docker.service.d/10-no-tcp.conf\n"
                "systemd-analyze verify docker.service && systemctl daemon-reload && systemctl restart "
                "docker",
                "rm /etc/systemd/system/docker.service.d/10-no-tcp.conf\n"
                "systemctl daemon-reload && systemctl restart docker",
            ),
        ),
        key="docker-api:@{target}:@{on}",
    ),
    refs=("https://docs.docker.com/engine/security/protect-access/",),
)
def docker_login(found: DockerLogins) -> Verdicts:
    """Who talks to the Docker API is root on its machine: a container may mount the whole disk."""
    yield from logins(found.servers)


@check(
    "network.management.kubelet-login",
    title="No kubelet lists its pods to strangers",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Turn anonymous access to the kubelets off",
        do="Set `authentication.anonymous.enabled: false`, `authorization.mode: Webhook` and "
        "`readOnlyPort: 0` "
        "in the kubelet's configuration and restart it.",
        verify="curl -sk -m 3 -o /dev/null -w '%{http_code}\\n' https://@{target}:@{port}/pods   "
        "# 401, or 000 at the read-only port",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old configuration back and restart the kubelet.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}):\n"
                "cp -p /var/lib/kubelet/config.yaml /var/lib/kubelet/config.yaml.before\n"
                "sed -i -E '/^  anonymous:/,/enabled:/ s/enabled: true/enabled: false/; "
                "s/^readOnlyPort: .*/readOnlyPort: 0/' /var/lib/kubelet/config.yaml\n"
                "systemctl restart kubelet",
                "mv /var/lib/kubelet/config.yaml.before /var/lib/kubelet/config.yaml\nsystemctl restart "
                "kubelet",
            ),
        ),
        key="kubelet:@{target}:@{on}",
    ),
    refs=("https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",),
)
def kubelet_login(found: KubeletLogins) -> Verdicts:
    """An anonymous kubelet shows all pods of its node and runs commands inside them."""
    yield from logins(found.servers)


@check(
    "network.management.vnc-login",
    title="Every VNC server asks for a login",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.ADMIN_PORT_NO_PASSWORD,
    fix=Fix(
        action="Require a login at the VNC server",
        do="Set a password or a TLS security type, bind the server to loopback, and reach it over SSH.",
        verify="nmap -Pn -p @{port} --script vnc-info @{target}   # no security type None",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Start the server with its old options.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for a TigerVNC server on port @{port}, as the user whose desktop it is:\n"
                "vncpasswd && vncserver -kill :$((@{port} - 5900))\n"
                "vncserver :$((@{port} - 5900)) -localhost yes -SecurityTypes VncAuth,TLSVnc",
                "vncserver -kill :$((@{port} - 5900))",
            ),
        ),
        key="vnc:@{target}:@{on}",
    ),
)
def vnc_login(found: VncServers) -> Verdicts:
    """A VNC server with the security type None gives its screen, mouse and keyboard to everybody."""
    for server in found.servers:
        yield expect(
            _NO_LOGIN not in server.security_types,
            on=server.port,
            saw=f"security types {', '.join(map(str, server.security_types))}",
            want="no security type 1 (none)",
            port=server.port,
        )


@check(
    "network.management.winrm-http",
    title="Windows remote management answers over HTTPS only",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Move Windows remote management to HTTPS",
        do="Give the machine a certificate, create an HTTPS listener on port 5986, remove the HTTP listener, "
        "and keep `AllowUnencrypted` and Basic off.",
        verify="curl -s -m 3 -o /dev/null -w '%{http_code}\\n' http://@{target}:@{port}/wsman   "
        "# 000: closed",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Create the HTTP listener again: `winrm quickconfig -transport:http`.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, in a PowerShell of an administrator; it listens on port @{port} now:\n"
                "winrm quickconfig -transport:https\n"
                "winrm delete 'winrm/config/Listener?Address=*+Transport=HTTP'",
                "winrm quickconfig -transport:http",
            ),
        ),
        key="winrm-http:@{target}:@{on}",
    ),
    refs=(
        "https://learn.microsoft.com/en-us/windows/win32/winrm/installation-and-configuration-for-windows-remote-management",
    ),
)
def winrm_http(found: RemoteManagements) -> Verdicts:
    """Over plain HTTP nothing proves which machine answers, and a client with Basic shows its password."""
    for listener in found.listeners:
        schemes = f", logins: {', '.join(listener.schemes)}" if listener.schemes else ""
        yield expect(
            listener.tls,
            on=listener.port,
            saw=f"{listener.answer}{schemes}",
            want="TLS",
            port=listener.port,
        )
