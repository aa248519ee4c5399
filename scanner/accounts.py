"""Cloud accounts before they are asked anything: whether their profiles and regions exist."""

from __future__ import annotations

from collections.abc import Collection

from baselines.text import TextError
from scanner.names import nearest
from scanner.scope import AwsScope, Plan


def aws_profiles() -> frozenset[str]:
    """The profiles of this machine's AWS configuration."""
    # Slow to import, and only a scan of accounts asks.
    import botocore.session

    return frozenset(botocore.session.get_session().available_profiles)


def check_accounts(planned: Plan, usual: str, profiles: Collection[str] | None = None) -> None:
    """Compares profiles and regions with those that there are, before anything is sent.

    `usual` is the profile of accounts that name none, `profiles` those of this machine where they have been
    read already.

    Raises:
        TextError: there is no such profile or region, with the nearest one.

    """
    ways = [one.access for one in planned.targets if isinstance(one.access, AwsScope)]
    if not ways:
        return
    from scanner.transport.aws import no_region

    known = aws_profiles() if profiles is None else profiles
    for way in ways:
        profile = way.profile or usual
        if profile and profile not in known:
            raise TextError(nearest("AWS profile", profile, known))
        for region in way.regions:
            if missing := no_region(region):
                raise TextError(missing)
