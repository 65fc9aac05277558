"""Routes in a directory of manifests, which take effect when a GitOps tool applies the directory.

Beside the releases are their earlier changes:

    <root>/<namespace>/.routes/<release>.yaml    a list of changes, the oldest first: revision, when, note, values

Nothing runs in a directory, so readiness is unknown, and there is no drift.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sidelane import kubeyaml
from sidelane.charts.rendering import Rendering
from sidelane.errors import InvalidManifest, ReleaseNotFound, RouteChanged, TargetBusy
from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Manifest
from sidelane.manifest.fields import mapping, walk
from sidelane.releases.stores import Options, Release, Stored, files, no_release
from sidelane.releases.stores.directory import DirectoryTarget
from sidelane.routes.model import about
from sidelane.routes.notes import Revision
from sidelane.routes.places import HISTORY, Backend, History, Sight
from sidelane.support.locks import lock_within

#: The longest wait for another process that changes a route, in seconds.
_PATIENCE: Final = 10.0


class DirectoryPlace:
    """Routes of one namespace of a directory target."""

    def __init__(self, target: DirectoryTarget) -> None:
        self._target = target
        self._histories = target.folder / ".routes"

    async def stored(self, release: str, revision: int | None = None) -> Stored:
        stored = await self._target.stored(release)
        if revision in (None, stored.release.revision):
            now = stored.release.revision
            note = next((entry["note"] for entry in self._entries(release) if entry["revision"] == now), "")
            return replace(stored, release=replace(stored.release, description=note))
        entry = next((entry for entry in self._entries(release) if entry["revision"] == revision), None)
        if entry is None:
            raise ReleaseNotFound(
                f"the history of {release} has no revision {revision}", remedy=f"see {about(release)}"
            )
        # Earlier manifests are not kept: git has them.
        return Stored(replace(stored.release, revision=entry["revision"]), entry["values"], "")

    async def stored_if_there(self, releases: Sequence[str]) -> list[Stored]:
        there = {release.name for release in await self._target.releases()}
        return [await self.stored(release) for release in releases if release in there]

    async def histories(self, releases: Sequence[str]) -> list[History]:
        return [History(stored, self._revisions(stored.release)) for stored in await self.stored_if_there(releases)]

    def _revisions(self, release: Release) -> tuple[Revision, ...]:
        return tuple(
            Revision(
                entry["revision"],
                datetime.fromisoformat(entry["when"]),
                "deployed" if entry["revision"] == release.revision else "superseded",
                entry["note"],
            )
            for entry in self._entries(release.name)
            if entry["revision"] <= release.revision
        )

    async def missing(self, release: str) -> ReleaseNotFound:
        return await no_release(self._target, release)

    async def releases(self) -> tuple[Release, ...]:
        return await self._target.releases()

    async def look(self, manifest: Manifest | None, services: Iterable[str]) -> Sight:
        del manifest
        wanted, backends = set(services), {}
        for release in await self._target.releases():
            for obj in (await self._target.stored(release.name)).manifest.objects:
                if obj.kind == "Service" and obj.name in wanted:
                    ports = tuple(port for _, port in walk(obj.body, "spec.ports[].port"))
                    selector = mapping(obj.body, "spec", "selector")
                    backends[obj.name] = Backend(obj.name, obj.labels, selector, ports, release=release.name)
        return Sight((), backends)

    async def restarts(self, pods: Iterable[Mapping[str, str]]) -> None:
        del pods

    async def announcer(self) -> None:
        return None

    async def create(self, rendering: Rendering, note: str) -> Release:
        async with (
            self._lock(),
            self._target.installing(rendering.release, rendering.chart, rendering.lane, Options()) as create,
        ):
            release = await create(rendering, None)
            self._keep(rendering, [], release.revision, note)
            return release

    async def change(self, rendering: Rendering, note: str, revision: int, *, overwrite: bool = False) -> Release:
        del overwrite  # a directory has no drift
        async with self._lock():
            now = (await self._target.stored(rendering.release)).release.revision
            if now + 1 != revision:
                raise _changed(rendering.release)
            # The history is written first: an entry newer than its release belongs to a change that was not made.
            entries = [entry for entry in self._entries(rendering.release) if entry["revision"] <= now]
            self._keep(rendering, entries, revision, note)
            return await self._target.upgrade(rendering, None, Options())

    async def remove(self, release: str) -> None:
        async with self._lock():
            await self._target.uninstall(release, Options())

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        return await self._target.abandoned(releases)

    async def roll_back(self, release: str, revision: int, now: int) -> Release:
        del now
        raise InvalidManifest(
            f"this version of the chart route renders {release} differently from revision {revision}",
            remedy="restore it from git",
        )

    def _entries(self, release: str) -> list[dict[str, Any]]:
        path = self._histories / f"{release}.yaml"
        try:
            files.require_folder(self._histories)
            entries = kubeyaml.read(files.text(path), source=str(path))
        except FileNotFoundError:
            return []
        if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
            raise InvalidManifest(f"{str(path)!r} is not a route's history", remedy="restore it from git")
        return entries

    def _keep(self, rendering: Rendering, entries: list[dict[str, Any]], revision: int, note: str) -> None:
        when = datetime.now(UTC).replace(microsecond=0).isoformat()
        entry = {"revision": revision, "when": when, "note": note, "values": dict(rendering.values)}
        path = self._histories / f"{rendering.release}.yaml"
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)  # also a symbolic link
        with new.open("x", encoding="utf-8") as file:
            file.write(dump([*entries, entry][-HISTORY:]))
        new.replace(path)

    @asynccontextmanager
    async def _lock(self) -> AsyncIterator[None]:
        """Locks this namespace's routes until the block ends; the kernel releases the lock of a dead process."""
        files.require_folder(self._target.folder)
        files.require_folder(self._histories)
        self._histories.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._histories, os.O_RDONLY)
        try:
            try:
                await lock_within(descriptor, _PATIENCE)
            except BlockingIOError:
                raise TargetBusy(
                    "another process is changing a route here", remedy="try again when it has ended"
                ) from None
            yield
        finally:
            os.close(descriptor)


def _is_entry(entry: object) -> bool:
    wanted = {"revision": int, "when": str, "note": str, "values": dict}
    if not isinstance(entry, dict) or any(type(entry.get(key)) is not kind for key, kind in wanted.items()):
        return False
    try:
        return bool(datetime.fromisoformat(entry["when"]))
    except ValueError:
        return False


def _changed(release: str) -> RouteChanged:
    return RouteChanged(
        f"another process changed {release} in between, and nothing was overwritten",
        remedy=f"see {about(release)}, then try again",
    )
