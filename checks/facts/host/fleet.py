"""One host among all hosts of a scan: what of its keys, accounts and rights is found elsewhere too.

All of it is made when a snapshot is judged, from what was seen of every host; nothing of it is stored.
"""

from __future__ import annotations

import msgspec

from checks.facts.host.accounts import Accounts
from checks.facts.host.ssh_keys import AuthorizedKeys, HostKeys
from checks.facts.host.sudoers import Sudoers
from checks.facts.snapshot import Fact


class KeyUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login key of this host, and where else it opens an account.

    `accounts_here` are the accounts of this host; `hosts` and `names` count the hosts on which it opens
    something and the different names of accounts that it opens; `places` are some of them, as `web-1: root`.
    """

    fingerprint: str
    comment: str
    accounts_here: tuple[str, ...]
    hosts: int
    names: tuple[str, ...]
    places: tuple[str, ...]


class FleetKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The login keys of this host. `hosts` counts those whose keys were read, this one among them."""

    derived_from = (AuthorizedKeys,)

    keys: tuple[KeyUse, ...]
    hosts: int


class SharedHostKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key by which this host proves itself, and other hosts that do so with the same one."""

    path: str
    fingerprint: str
    kind: str
    others: tuple[str, ...]


class FleetHostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The host keys that this host shares. `hosts` counts those whose keys are known, this one among them."""

    derived_from = (HostKeys,)

    shared: tuple[SharedHostKey, ...]
    hosts: int


class OtherIds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account of this host that has another user id elsewhere: `hosts` of them, such as `example`."""

    name: str
    uid: int
    others: tuple[int, ...]
    hosts: int
    example: str


class FleetAccounts(Fact, frozen=True, forbid_unknown_fields=True):
    """People's accounts of this host whose ids differ. `hosts` counts those whose accounts were read."""

    derived_from = (Accounts,)

    differing: tuple[OtherIds, ...]
    hosts: int


class RootUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who becomes root on this host without a password, and on how many hosts of all."""

    who: str
    hosts: int
    places: tuple[str, ...]


class FleetSudo(Fact, frozen=True, forbid_unknown_fields=True):
    """Root without a password. `hosts` counts those whose rules were read, this one among them."""

    derived_from = (Sudoers,)

    free: tuple[RootUse, ...]
    hosts: int
