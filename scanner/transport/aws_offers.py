"""Which services AWS offers in which regions, as far as its SDK knows."""

from __future__ import annotations

import os
from functools import cache

import botocore.session
from botocore.loaders import Loader

from scanner.transport.aws_models import ModelFiles


def offered(service: str, region: str) -> bool:
    """Whether the service has an endpoint in the region."""
    return region in _regions(service)


@cache
def _session() -> botocore.session.Session:
    # Without a profile: whether the one of the environment exists is another question.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    paths = session.get_config_variable("data_path")
    session.register_component(
        "data_loader", Loader(paths.split(os.pathsep) if paths else None, ModelFiles())
    )
    return session


@cache
def _regions(service: str) -> frozenset[str]:
    session = _session()
    return frozenset(
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions(service, partition)
    )
