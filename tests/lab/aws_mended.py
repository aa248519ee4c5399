"""Where the emulator takes a request and ignores what AWS does with it: here it does as AWS does."""

from __future__ import annotations

from typing import Any

from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.s3.responses import S3Response


def mend() -> None:
    """From now on, for the whole process."""
    buckets: Any = S3Response
    disks: Any = ElasticBlockStore
    buckets.serialized = _with_regions(buckets.serialized)
    disks.describe_snapshots = _restorable(disks.describe_snapshots)


def _with_regions(serialized: Any) -> Any:
    """A list of buckets that was asked for in pages tells the region of each."""

    def mended(self: Any, result: Any) -> Any:
        if self.data.get("Action") == "ListBuckets" and self._get_param("max-buckets"):
            regions = {one.name: one.region_name for one in self.backend.list_buckets(None, None, None)}
            for one in result.result["Buckets"]:
                one["BucketRegion"] = regions[one["Name"]]
        return serialized(self, result)

    return mended


def _restorable(describe: Any) -> Any:
    """`RestorableByUserIds` leaves the snapshots that those can restore; `all` is everybody."""

    def mended(self: Any) -> Any:
        wanted = set(self._get_param("RestorableByUserIds", []))
        answer = describe(self)
        if wanted:
            answer.result["Snapshots"] = [
                one
                for one in answer.result["Snapshots"]
                if wanted & {*one.create_volume_permission_groups, *one.create_volume_permission_userids}
            ]
        return answer

    return mended
