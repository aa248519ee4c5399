"""AWS's descriptions of its services, cut to the calls that were declared.

The description of EC2 alone takes 24 MiB, nearly all of it for calls that nobody here makes and for their
documentation. What is cut away is gone from the client as well: a call that no collector declared has no
method there, before the allow-list of the session even hears of it.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader

Model = dict[str, Any]

_WHOLE = frozenset({"sso", "sso-oidc", "signin", "sts"})
"""Services by which botocore itself comes by credentials."""
_OWN = {"s3": frozenset({"HeadBucket"})}
"""Operations that botocore asks for by itself: here so that the allow-list stops them, with a reason."""


class ModelFiles(JSONFileLoader):
    """Reads the files of descriptions as botocore does, several times as fast."""

    def load_file(self, file_path: str) -> Any:
        """What is in the file of that path, with `.json` or `.json.gz` after it; None where there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return msgspec.json.decode(file.read())
            except FileNotFoundError:
                continue
        return None


class DeclaredModels(Loader):
    """Loads descriptions as botocore does, those of the services of `allowed` with these operations only."""

    def __init__(self, allowed: Iterable[tuple[str, str]], paths: str | None = None) -> None:
        super().__init__(paths.split(os.pathsep) if paths else None, ModelFiles())
        self._declared: dict[str, set[str]] = {}
        for service, operation in allowed:
            if service not in _WHOLE:
                self._declared.setdefault(service, set(_OWN.get(service, ()))).add(operation)
        self._cut: dict[tuple[str, str | None], Model] = {}

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Mapping[str, Any]:
        """The description of a service; see the class."""
        if type_name != "service-2" or service_name not in self._declared:
            found: Mapping[str, Any] = super().load_service_model(service_name, type_name, api_version)
            return found
        key = service_name, api_version
        if key not in self._cut:
            # A loader keeps what it loads: one that is thrown away lets go of the whole description.
            whole = Loader(self.search_paths, ModelFiles(), include_default_search_paths=False)
            model = whole.load_service_model(service_name, type_name, api_version)
            self._cut[key] = cut(model, self._declared[service_name])
        return self._cut[key]


def cut(model: Mapping[str, Any], operations: Iterable[str]) -> Model:
    """The description with these operations only, what they are made of, and no documentation."""
    kept = {name: _bare(model["operations"][name]) for name in operations if name in model["operations"]}
    shapes: dict[str, Model] = {}
    ahead = [ref for operation in kept.values() for ref in _parts_of_operation(operation)]
    while ahead:
        name = ahead.pop()
        if name not in shapes:
            shapes[name] = _shape(model["shapes"][name])
            ahead += _parts_of_shape(shapes[name])
    rest = {
        key: value for key, value in model.items() if key not in ("operations", "shapes", "documentation")
    }
    return {**rest, "operations": kept, "shapes": shapes}


def _bare(one: Mapping[str, Any]) -> Model:
    return {key: value for key, value in one.items() if key != "documentation"}


def _shape(one: Mapping[str, Any]) -> Model:
    # A member may itself be called "documentation".
    bare = {key: _bare(value) if key in ("member", "key", "value") else value for key, value in one.items()}
    bare.pop("documentation", None)
    if "members" in one:
        bare["members"] = {name: _bare(value) for name, value in one["members"].items()}
    return bare


def _parts_of_operation(one: Mapping[str, Any]) -> list[str]:
    refs = [one[key] for key in ("input", "output") if key in one] + list(one.get("errors", ()))
    return [str(ref["shape"]) for ref in refs]


def _parts_of_shape(one: Mapping[str, Any]) -> list[str]:
    refs = [one[key] for key in ("member", "key", "value") if key in one]
    return [str(ref["shape"]) for ref in (*refs, *one.get("members", {}).values())]
