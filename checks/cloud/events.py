"""Event buses: who may send events that rules act upon."""

from __future__ import annotations

from checks.cloud.resource_policies import family

POLICIES = family("events")
