"""What SNMP agents tell to whoever knows the usual words."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact

USUAL_COMMUNITIES = ("public", "private")
"""The words that agents come with, and that everybody tries."""


class SnmpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SNMP agent.

    `communities` are those of the usual words (`public`, `private`) to which it told its description, and
    `refused` those to which it kept silent or refused while it answered other questions; one that is in
    neither was answered with an error that tells nothing, as a community that is known may be. `versions`
    are the versions in which it answered (`v1`, `v2c`, `v3`), `description` its sysDescr. Nothing was ever
    written.
    """

    port: str
    communities: tuple[str, ...]
    refused: tuple[str, ...]
    versions: tuple[str, ...]
    description: str = ""


class SnmpServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The SNMP agents of the address."""

    servers: tuple[SnmpServer, ...]
