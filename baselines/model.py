"""A baseline as people write it: which checks, which thresholds, which level, which controls."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from checks.model import Severity

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
CheckId = Annotated[str, Field(pattern=r"^(network|host|cloud)\.[a-z0-9-]+\.[a-z0-9-]+$")]


class Written(BaseModel):
    """The rules for all that people write: no unknown keys, no silent conversion, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Profile(Written):
    """A level of a baseline; it holds its own rules and those of the profile it extends."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    extends: Slug | None = None


class Rule(Written):
    """One demand: a check with thresholds, from a profile on, mapped to controls of frameworks."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    check: CheckId
    profile: Slug
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}
    severity: Annotated[Severity | None, Field(strict=False)] = None
    controls: dict[str, list[str]] = {}


class Tailoring(Written):
    """What an organisation changes on a baseline: its own thresholds and what it leaves out, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    check: CheckId
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}
    severity: Annotated[Severity | None, Field(strict=False)] = None
    leave_out: bool = False
    because: Annotated[str, Field(min_length=1)]


class Baseline(Written):
    """A named set of demands with profiles. `extends` names a baseline that it tailors.

    `fits` are the systems it is made for: the ID of os-release and its versions (none: every one). Without
    it the baseline fits every target. `frameworks`, where given, are those whose controls are shown;
    `default` the profile that is taken where none is chosen.
    """

    id: Slug
    title: Annotated[str, Field(min_length=1, max_length=120)]
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+){0,2}$")]
    about: str = ""
    extends: Slug | None = None
    fits: dict[Slug, list[Annotated[str, Field(pattern=r"^[0-9A-Za-z.]{1,16}$")]]] = {}
    frameworks: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9.-]{1,40}$")]] = []
    default: Slug | None = None
    profiles: dict[Slug, Profile] = {}
    rules: list[Rule] = []
    tailor: list[Tailoring] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.extends and not self.rules:
            raise ValueError("a baseline has rules, or extends another one")
        if not self.extends and not self.profiles:
            raise ValueError("a baseline has profiles, or extends another one")
        if self.tailor and not self.extends:
            raise ValueError("tailor needs extends: it changes the rules of another baseline")
        return self
