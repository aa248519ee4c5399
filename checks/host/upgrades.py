"""How packages with known flaws are upgraded, and the kernel: the fixes of the checks about them."""

from __future__ import annotations

from checks.fix import Disruption, Effort, Fix, Language, Snippet

_VERIFY = (
    "dpkg-query -W @{first} 2>/dev/null || rpm -q @{first} 2>/dev/null || apk list -I @{first}   # @{want}"
)
_DO = (
    "export DEBIAN_FRONTEND=noninteractive\n"
    "if command -v apt-get >/dev/null; then\n"
    "  apt-get update && echo @{packages} | tr , ' ' | xargs apt-get install --only-upgrade -y\n"
    "elif command -v dnf >/dev/null; then echo @{packages} | tr , ' ' | xargs dnf upgrade --refresh -y\n"
    "elif command -v yum >/dev/null; then echo @{packages} | tr , ' ' | xargs yum update -y\n"
    "elif command -v zypper >/dev/null; then\n"
    "  echo @{packages} | tr , ' ' | xargs zypper --non-interactive update\n"
    "else apk update && echo @{packages} | tr , ' ' | xargs apk fix -u; fi"
)
_UNDO = (
    "export DEBIAN_FRONTEND=noninteractive\n"
    "if command -v apt-get >/dev/null; then\n"
    "  echo @{former} | tr , ' ' | xargs apt-get install -y --allow-downgrades\n"
    "elif command -v dnf >/dev/null; then echo @{former} | tr ',=' ' -' | xargs dnf downgrade -y\n"
    "elif command -v yum >/dev/null; then echo @{former} | tr ',=' ' -' | xargs yum downgrade -y\n"
    "elif command -v zypper >/dev/null; then\n"
    "  echo @{former} | tr , ' ' | xargs zypper --non-interactive install --oldpackage\n"
    "else echo @{former} | tr , ' ' | xargs apk add; fi"
)
_ANSIBLE = (
    "- name: Upgrade the packages with known flaws (Debian family)\n"
    "  ansible.builtin.apt:\n    name: @{packages}\n    state: latest\n    only_upgrade: true\n"
    "    update_cache: true\n  when: ansible_facts.pkg_mgr == 'apt'\n"
    "- name: Upgrade the packages with known flaws (RHEL family)\n"
    "  ansible.builtin.dnf:\n    name: @{packages}\n    state: latest\n    update_only: true\n"
    "  when: ansible_facts.pkg_mgr in ['yum', 'dnf', 'dnf5']"
)
UPGRADE = Fix(
    action="Upgrade @{package} on @{release}",
    do="Refresh the package lists and upgrade @{packages} to @{want}, then restart what uses it. Where there "
    "is no fix yet, take it out of use or shield it from whoever could reach it.",
    verify=_VERIFY,
    effort=Effort(setup=0.5, each=0.1),
    disruption=Disruption.RESTART,
    undo="Install the former version again while a package source still has it: @{former}.",
    snippets=(Snippet(Language.SHELL, _DO, _UNDO), Snippet(Language.ANSIBLE, _ANSIBLE)),
    key="pkg:@{package} on @{release}",
)
"""One action for a source package and a release, whatever the number of its flaws and of the hosts."""

REBOOT = Fix(
    action="Upgrade the kernel of @{release} and reboot",
    do="Upgrade the kernel to @{want} and reboot the host in its next maintenance window.",
    verify="uname -rv   # @{want}",
    effort=Effort(setup=0.5, each=0.3),
    disruption=Disruption.REBOOT,
    undo="Choose the former kernel, @{running}, in the boot menu; it stays installed.",
    snippets=(
        Snippet(
            Language.SHELL,
            "export DEBIAN_FRONTEND=noninteractive\n"
            "if command -v apt-get >/dev/null; then\n"
            "  apt-get update &&\n"
            "    dpkg-query -W -f '${db:Status-Abbrev}${Package}\\n' 'linux-image-*' 2>/dev/null |\n"
            "    sed -n 's/^ii *//p' | xargs apt-get install --only-upgrade -y\n"
            "elif command -v dnf >/dev/null; then dnf upgrade --refresh -y 'kernel*'\n"
            "elif command -v yum >/dev/null; then yum update -y 'kernel*'\n"
            "elif command -v zypper >/dev/null; then zypper --non-interactive update 'kernel-default'\n"
            "else apk update && apk fix -u @{package}; fi &&\n"
            "  shutdown -r +5 'Reboot into the updated kernel'",
            "shutdown -c",
        ),
    ),
    key="pkg:@{package} on @{release}",
)
"""The kernel is installed beside the old one, and mends nothing before the machine has started with it."""
