"""Adds what another scanner saw to a scan, with jobs of its own, so that the ledger stays true."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from checks.fix import printable
from checks.model import Kind
from scanner.store import tables as t
from scanner.store.record import JobState, ScanRow, ScanState
from scanner.store.store import ChainPlace, Store, append, link_hash
from scanner.store.views import ADDED, View


def add(store: Store, scan: int, view: View, at: str) -> None:
    """Stores a view with a scan: its jobs under names that say from where, and its snapshots in our chain."""
    with store.begin() as c:
        head = store.head(c)
        for number, job in enumerate(view.jobs):
            seen = [one for one in view.snapshots if one.job == number]
            place = printable(next((one.vantage for one in seen if one.vantage), view.record.vantage))
            if not seen and job.state is JobState.DONE:
                # It looked at its own machine only, which is nobody else's.
                continue
            row = c.execute(
                t.jobs.insert().returning(t.jobs.c.id),
                {
                    "scan_id": scan,
                    "kind": Kind.NETWORK,
                    "name": f"{printable(job.name)} from {place}",
                    "spec": f"{ADDED}{place}:{job.spec}",
                    "state": job.state,
                    "attempt": 1,
                    "failure": printable(job.failure),
                    "reason": printable(job.reason),
                    "started": view.record.started,
                    "finished": view.record.finished,
                },
            ).scalar_one()
            for one in seen:
                head = append(c, ChainPlace(scan, int(row), one.spec, one.at), one.plain, head)
        c.execute(t.scans.update().where(t.scans.c.id == scan), {"head": head, "finished": at})


def copy_scan(store: Store, scan: ScanRow, at: str) -> int:
    """A new scan with the jobs and snapshots of that one, to which views can be added; its number.

    What was judged stays as it was.
    """
    number = store.start_scan(scan.record, scan.started, ())
    with store.begin() as c:
        head = store.head(c)
        for job in c.execute(
            select(t.jobs).where(t.jobs.c.scan_id == scan.number).order_by(t.jobs.c.id)
        ).mappings():
            copied = {k: v for k, v in job.items() if k != "id"} | {"scan_id": number}
            row = c.execute(t.jobs.insert().returning(t.jobs.c.id), copied).scalar_one()
            links = select(t.chain).where(t.chain.c.job_id == job["id"]).order_by(t.chain.c.id)
            for link in c.execute(links).mappings().all():
                meta = msgspec.json.encode(
                    msgspec.json.decode(link["meta"]) | {"scan": number}, order="sorted"
                )
                head = link_hash(head, meta.decode(), link["digest"])
                c.execute(
                    t.chain.insert(),
                    {
                        "scan_id": number,
                        "job_id": row,
                        "meta": meta.decode(),
                        "digest": link["digest"],
                        "hash": head,
                    },
                )
        state = {"head": head, "state": ScanState.COLLECTED, "finished": at}
        c.execute(t.scans.update().where(t.scans.c.id == number), state)
    return number
