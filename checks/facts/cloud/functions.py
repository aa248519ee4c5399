"""Lambda functions and the addresses that start them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function. `runtime` is empty for a container image; `secrets` are names of variables with one.

    `layers` are the ARNs of layers, `vpc` the id of the network that it is in, `key` its own KMS key,
    `settings` whether its environment holds any variable.
    """

    arn: str
    name: str
    region: str
    runtime: str
    role: str
    vpc: str
    key: str
    layers: tuple[str, ...]
    secrets: tuple[str, ...]
    settings: bool = True


class Functions(Fact, frozen=True, forbid_unknown_fields=True):
    """All functions."""

    account: str
    regions: tuple[str, ...]
    functions: tuple[Function, ...]


class FunctionUrl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A web address of a function; `signed` if AWS asks for a signature, `origins` those of CORS."""

    arn: str
    name: str
    region: str
    signed: bool
    origins: tuple[str, ...]


class FunctionUrls(Fact, frozen=True, forbid_unknown_fields=True):
    """The web addresses of the functions."""

    account: str
    urls: tuple[FunctionUrl, ...]
