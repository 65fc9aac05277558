"""A directory of rendered manifests, for GitOps: nothing runs, and the files are the release.

    <root>/<namespace>/<release>/
        manifest.yaml        every object, as Helm rendered it
        hooks.yaml           Helm's hooks, if the chart has some; kustomize ignores them
        values.yaml          the user's values, with Version and Build
        chart.yaml           the release's coordinates: chart, version, digest, lane, revision
        record.json          the record, an in-toto Statement
        kustomization.yaml   the input of `kubectl apply -k` and GitOps controllers

A release is complete or does not exist: see folders.py.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.charts.chart import Chart
from sidelane.charts.rendering import PlainRendering, Rendering
from sidelane.errors import InvalidManifest, InvalidName, Refused, ReleaseExists, ReleaseNotFound
from sidelane.manifest import Object
from sidelane.naming.contract import NAMESPACE
from sidelane.naming.lane import Lane
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.provenance import Record
from sidelane.releases.stores import (
    Create,
    MakeRecord,
    ObjectStatus,
    Options,
    PutBack,
    Release,
    Stored,
    beyond,
    files,
    not_there,
)
from sidelane.releases.stores.folders import Folders
from sidelane.support.secrets import secret_paths


class DirectoryTarget:
    """The releases of one namespace under a root directory, which the first write creates.

    allow_secrets: write rendered Secrets too; without it they are refused, because the files are meant for git.
    """

    def __init__(self, root: Path, namespace: str = "default", *, allow_secrets: bool = False) -> None:
        if not NAMESPACE.fullmatch(namespace) or len(namespace) > 63:
            raise InvalidName(
                f"the namespace {namespace!r} must be lower-case letters, digits and dashes, at most 63",
                remedy="write it such as 'streams'",
            )
        self._root = root
        self._folders = Folders(root, namespace)
        self.folder = self._folders.path
        self.namespace = namespace
        self._allow_secrets = allow_secrets

    @property
    def _where(self) -> str:
        return f"namespace {self.namespace} of the directory {str(self._root)!r}"

    async def chosen(self) -> str:
        return self.namespace

    async def where(self) -> str:
        return self._where

    @asynccontextmanager
    async def installing(
        self, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis = NOTHING
    ) -> AsyncIterator[Create]:
        del name, chart, lane, options  # nothing runs here, so there is nothing to prepare or wait for
        yield functools.partial(self._create, {"needs": list(basis.needs), "level": basis.level})

    async def _create(self, order: dict[str, Any], rendering: Rendering, record: MakeRecord | None) -> Release:
        self._require_no_secrets(rendering)
        name, place = rendering.release, self._folders.of(rendering.release)
        files.require_plain(place)
        async with self._folders.locked():
            if (place / "chart.yaml").exists():
                raise ReleaseExists(f"the release {name} exists", remedy=f"see `sidelane status {name}`")
            if os.path.lexists(place):
                raise Refused(
                    f"{str(place)!r} exists and is not a release", remedy="move it away, or restore it from git"
                )
            self._folders.create(name, self._texts(rendering, 1, order, record(None) if record else None))
        return replace(self._release(rendering.release), change="created")

    async def upgrade(
        self,
        rendering: Rendering,
        record: str | None,
        options: Options,
        *,
        basis: Basis = NOTHING,
        take_over: bool = False,
    ) -> Release:
        del options, basis, take_over
        self._require_no_secrets(rendering)
        name = rendering.release
        self._require(name)
        async with self._folders.locked():
            revision, order = self._release(name).revision + 1, files.order(self._folders.of(name))
            self._folders.replace(name, self._texts(rendering, revision, order, record))
        return replace(self._release(name), change="upgraded")

    async def finish(self, release: Release, options: Options) -> Release:
        del options
        return replace(release, change="finished")  # no release is ever here by half

    async def clear(self, release: Release, options: Options) -> None:
        await self.uninstall(release.name, options)

    async def put_back(self, name: str, work: PutBack, options: Options) -> None:
        del work, options
        raise Refused(
            f"{name} is in the directory {str(self._root)!r}, where nothing runs",
            remedy="restore its files from git, and repair the release on the cluster to which they are applied",
        )

    async def interrupted(self, name: str) -> None:
        del name

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        del releases
        return frozenset()

    async def ours(self, releases: Iterable[Release]) -> frozenset[str]:
        return frozenset(release.name for release in releases)  # only Sidelane writes a chart.yaml of this form

    async def beyond(self, stored: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
        return {each.release.name: lines for each in stored if (lines := beyond.of_manifest(each.manifest))}

    async def claims(self, lane: Lane, release: str | None) -> tuple[str, ...]:
        del lane, release
        return ()  # claims are made by a cluster

    async def made_from(self, inputs: Mapping[str, str]) -> frozenset[str]:
        del inputs
        return frozenset()  # files may be edited, so they must be compared

    async def mine(self, lane: Lane) -> frozenset[str]:
        del lane
        return frozenset()

    async def levels(self, lane: Lane) -> Mapping[str, int]:
        return {
            release.name: self._order(release.name)["level"]
            for release in await self.releases()
            if release.lane == lane
        }

    async def needing(self, name: str) -> tuple[str, ...]:
        releases = await self.releases()
        return tuple(release.name for release in releases if name in self._order(release.name)["needs"])

    async def require_rights(self, releases: Iterable[Stored], *, claims: bool = False) -> None:
        del releases, claims  # the file system reports it, and a release is removed with one move

    async def delete_claims(self, lane: Lane, release: str | None, options: Options) -> tuple[str, ...]:
        del lane, release, options
        return ()  # claims are made by a cluster

    async def stored_all(self, names: Sequence[str], *, if_there: bool = False) -> list[Stored]:
        there = {release.name for release in await self.releases()} if if_there else names
        return [await self.stored(name) for name in names if name in there]

    async def stored(self, name: str, *, revision: int | None = None) -> Stored:
        del revision  # only the last one is stored
        folder = self._folders.of(name)
        for _ in range(50):
            release = self._release(name)
            with suppress(FileNotFoundError):  # an upgrade came in between: read its files instead
                hooks = files.text(folder / "hooks.yaml") if os.path.lexists(folder / "hooks.yaml") else ""
                text = files.text(folder / "manifest.yaml") + hooks
                values = kubeyaml.read(files.text(folder / "values.yaml"), source=str(folder / "values.yaml"))
                record = files.text(folder / files.RECORD) if os.path.lexists(folder / files.RECORD) else None
                odd = files.odd(folder, Record.read(record) if record is not None else None)
                if self._release(name) == release:
                    return Stored(release, cast("dict[str, Any]", values or {}), text, record, odd=odd)
            await asyncio.sleep(0.02)
        raise InvalidManifest(f"{str(folder)!r} is not a whole release", remedy="restore it from git")

    async def record(self, name: str) -> str | None:
        return (await self.stored(name)).record

    async def live(self, objects: Sequence[Object]) -> None:
        del objects

    async def running(self, objects: Sequence[Object], releases: Sequence[str]) -> None:
        del objects, releases

    async def readiness(self, stored: Sequence[Stored]) -> None:
        del stored

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> None:
        del stored, what, options

    async def facts(self) -> None:
        return None

    async def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        pattern = "*/*/chart.yaml" if all_namespaces else f"{self.namespace}/*/chart.yaml"
        releases = []
        for path in sorted(path.parent for path in self._root.glob(pattern) if not path.parent.name.startswith(".")):
            with suppress(FileNotFoundError):  # uninstalled a moment ago
                releases.append(files.read(path))
        return tuple(releases)

    async def status(self, name: str) -> Release:
        stored = await self.stored(name)
        objects = tuple(ObjectStatus(item.kind, item.name) for item in stored.manifest.objects)
        return replace(stored.release, objects=objects)

    async def uninstall(self, name: str, options: Options, *, stored: Stored | None = None) -> Release:
        del options, stored
        self._require(name)
        async with self._folders.locked():
            release = self._release(name)
            self._folders.remove(name)
        return replace(release, status="uninstalled", change="uninstalled")

    def _order(self, name: str) -> dict[str, Any]:
        try:
            return files.order(self._folders.of(name))
        except FileNotFoundError:  # uninstalled a moment ago
            return {"needs": [], "level": 0}

    def _release(self, name: str) -> Release:
        try:
            return files.read(self._folders.of(name))
        except (FileNotFoundError, NotADirectoryError):
            raise self._not_found(name) from None

    def _require(self, name: str) -> None:
        """Raises ReleaseNotFound, before the lock is taken, which would create the folder. Raises Refused for a folder
        that is not a release's.
        """
        if not self._folders.exists(name):
            raise self._not_found(name)

    def _not_found(self, name: str) -> ReleaseNotFound:
        return not_there(name, self._where)

    def _require_no_secrets(self, rendering: Rendering) -> None:
        if not self._allow_secrets:
            require_no_secrets(rendering)

    def _texts(self, rendering: Rendering, revision: int, order: dict[str, Any], record: str | None) -> dict[str, str]:
        texts = files.texts(rendering, self.namespace, revision, order)
        return texts | ({files.RECORD: record} if record else {})


def require_no_secrets(rendering: PlainRendering) -> None:
    """Raises Refused for a rendering with a Secret or a secret value."""
    secrets = [f"renders the Secret {item.name}" for item in rendering.manifest.objects if item.kind == "Secret"]
    secrets += [f"has the secret value {path}" for path in secret_paths(rendering.values)]
    if secrets:
        raise Refused(
            f"{rendering.chart.name} {', and '.join(secrets)}, and this directory is meant for git",
            remedy="give the chart an existing Secret's name, or add --allow-secrets",
        )
