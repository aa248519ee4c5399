"""Archive vaults: who reads and deletes archives."""

from __future__ import annotations

from checks.cloud.resource_policies import family

POLICIES = family("glacier")
