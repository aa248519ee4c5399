"""Until when AWS supports the releases of the engines that it runs, without extra pay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from checks.verdict import Verdict, expect, unknown

ENDS: Mapping[str, Mapping[str, str]] = {
    "aurora-postgresql": {
        "9.6": "2022-01-31",
        "10": "2023-01-31",
        "11": "2024-02-29",
        "12": "2025-02-28",
        "13": "2026-02-28",
        "14": "2027-02-28",
        "15": "2028-02-29",
        "16": "2029-02-28",
        "17": "2030-02-28",
        "18": "2031-02-28",
    },
    "aurora-mysql": {"5.6": "2023-02-28", "5.7": "2024-10-31", "8.0": "2028-04-30"},
    "postgres": {
        "9": "2022-04-30",
        "10": "2023-04-30",
        "11": "2024-02-29",
        "12": "2025-02-28",
        "13": "2026-02-28",
        "14": "2027-02-28",
        "15": "2028-02-29",
        "16": "2029-02-28",
        "17": "2030-02-28",
        "18": "2031-02-28",
    },
    "mysql": {"5.6": "2022-03-01", "5.7": "2024-02-29", "8.0": "2026-07-31", "8.4": "2029-07-31"},
    "mariadb": {
        "10.3": "2023-10-23",
        "10.4": "2024-10-31",
        "10.5": "2025-06-24",
        "10.6": "2026-07-31",
        "10.11": "2028-02-29",
        "11.4": "2029-05-31",
        "11.8": "2030-06-30",
    },
    "docdb": {"3.6": "2026-03-30", "4.0": "", "5.0": "", "8.0": ""},
    "neptune": {
        "1.0": "2023-01-30",
        "1.1": "2026-11-30",
        "1.1.0": "2025-03-15",
        "1.2": "2026-11-30",
        "1.3": "2027-03-06",
        "1.4": "2027-03-06",
        "1.4.6.2": "2027-06-03",
        "1.4.6.3": "2027-06-03",
        "1.4.7": "2027-06-03",
        "1.4.8": "2027-10-27",
    },
    "redis": {
        "2": "2023-01-13",
        "3": "2023-07-31",
        "4": "2026-01-31",
        "5": "2026-01-31",
        "6": "2027-01-31",
        "7": "",
    },
    "valkey": {"7": "", "8": "", "9": ""},
    "OpenSearch": {
        "1": "2025-11-07",
        "1.3": "2027-11-07",
        "2": "2025-11-07",
        "2.11": "2027-11-07",
        "2.13": "2027-11-07",
        "2.15": "2027-11-07",
        "2.17": "2027-11-07",
        "2.19": "2027-11-07",
        "3": "",
    },
    "Elasticsearch": {
        "1": "2025-11-07",
        "2": "2025-11-07",
        "5": "2025-11-07",
        "6": "2025-11-07",
        "6.8": "2027-11-07",
        "7": "2025-11-07",
        "7.9": "2027-11-07",
        "7.10": "2027-11-07",
    },
    "ACTIVEMQ": {
        "5.15": "2024-09-16",
        "5.16": "2024-11-15",
        "5.17": "2025-06-16",
        "5.18": "",
        "5.19": "",
    },
    "RABBITMQ": {"3.12": "2025-03-17", "3.13": "", "4": ""},
    "kafka": {
        "2": "2024-06-08",
        "2.6": "2024-09-11",
        "2.7": "2024-09-11",
        "2.8": "2025-01-14",
        "3.1": "2024-09-11",
        "3.2": "2024-09-11",
        "3.3": "2024-09-11",
        "3.4": "2025-08-04",
        "3.5": "2025-10-23",
        "3.6": "2026-06-01",
        "3.7": "2026-09-01",
        "3.8": "",
        "3.9": "",
        "4": "",
    },
}
"""By engine and release; empty where no end was announced. The longest release that fits decides."""
UNKNOWN = "a release that the table of support does not know"


def end_of(engine: str, version: str) -> str | None:
    """The last day of support, empty for none announced, None where nothing is known of the release."""
    known = ENDS.get(engine, {})
    parts = version.split(".")
    for length in range(len(parts), 0, -1):
        end = known.get(".".join(parts[:length]))
        if end is not None:
            return end
    return None


def judged(
    on: str, engine: str, version: str, now: datetime, *, where: str, values: Mapping[str, str]
) -> Verdict:
    """Whether the release of a thing still has support; unknown where the table does not know it."""
    end = end_of(engine, version)
    if end is None:
        return unknown(on, f"{engine} {version}: {UNKNOWN}", where=where)
    told = f"supported until {end}" if end else "supported, no end announced"
    return expect(
        not end or date.fromisoformat(end) >= now.date(),
        on=on,
        where=where,
        saw=f"{engine} {version}, {told}",
        want="a release with support",
        values=values,
    )
