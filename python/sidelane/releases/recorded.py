"""The stored records of releases."""

from __future__ import annotations

from sidelane.errors import ReleaseNotFound
from sidelane.naming.lane import Lane
from sidelane.releases.provenance import Record
from sidelane.releases.stores import Target
from sidelane.releases.verify import names
from sidelane.support.concurrency import some_at_a_time


async def of_release(target: Target, name: str) -> Record:
    """Returns the record of a release. Raises ReleaseNotFound for a missing release or record."""
    record = await _record(target, name)
    if record is None:
        raise ReleaseNotFound(
            f"the release {name} in {await target.where()} has no record",
            remedy="plain Helm writes none; Sidelane writes it when it installs the release",
        )
    return record


async def of_lane(target: Target, lane: Lane) -> tuple[Record, ...]:
    """Returns the records of a lane's releases, sorted by name; routes, and releases of plain Helm, have none.

    Raises ReleaseNotFound for a lane that has no release.
    """
    records = await some_at_a_time(_record(target, name) for name in await names(target, lane))
    return tuple(filter(None, records))


async def _record(target: Target, name: str) -> Record | None:
    stored = await target.stored(name)
    text = stored.record or await target.record(name)
    return None if text is None else Record.read(text)
