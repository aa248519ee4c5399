"""Modules of the RHEL family: which stream of a module a fixed package belongs to."""

from __future__ import annotations

from collections.abc import Mapping

MAIN = {
    "389-ds-base": "389-ds",
    "golang": "go-toolset",
    "httpd": "httpd",
    "ipa-server": "idm",
    "llvm": "llvm-toolset",
    "mariadb": "mariadb",
    "maven": "maven",
    "memcached": "memcached",
    "mysql": "mysql",
    "nginx": "nginx",
    "nodejs": "nodejs",
    "perl": "perl",
    "php": "php",
    "podman": "container-tools",
    "postgresql": "postgresql",
    "python27": "python27",
    "python36": "python36",
    "python38": "python38",
    "python39": "python39",
    "qemu-kvm": "virt",
    "redis": "redis",
    "ruby": "ruby",
    "rust": "rust-toolset",
    "squid": "squid",
    "subversion": "subversion",
    "swig": "swig",
    "varnish": "varnish",
}
"""The package after whose version the streams of a module are named, and the module."""


def module_of(fixed: Mapping[str, str]) -> str:
    """`nodejs:18.20.4` for the fixed versions of one advisory that is about a module; else nothing.

    A stream is named like the beginning of its main package's version (`nodejs:18`).
    """
    for package, module in MAIN.items():
        version = fixed.get(package, "")
        if ".module" in version:
            return f"{module}:{version.rpartition(':')[2].partition('-')[0]}"
    return ""


def same_stream(installed: str, advised: str) -> bool:
    """Whether an advice for that module is about an installed stream (`nodejs:18`)."""
    module, _, stream = installed.partition(":")
    other, _, version = advised.partition(":")
    if module != other:
        return False
    # A stream without a number rolls: it has always had the newest version.
    return not stream[:1].isdigit() or version == stream or version.startswith(f"{stream}.")
