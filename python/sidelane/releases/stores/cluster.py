"""The releases of a Kubernetes cluster, through Helm."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Rendering
from sidelane.errors import ClusterDenied, ReleaseNotFound, SidelaneError
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader
from sidelane.naming.labels import HOLDER, INSTANCE, LANE
from sidelane.naming.lane import Lane
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.provenance.cluster import Facts, facts
from sidelane.releases.stores import Create, Options, PutBack, Release, Stored, creating, labelled, leases, not_there
from sidelane.releases.stores.answers import parse_time, release_of, stored_of
from sidelane.releases.stores.holding import holder
from sidelane.releases.stores.recording import Recording
from sidelane.support.concurrency import Shared, some_at_a_time, together

if TYPE_CHECKING:
    from sidelane.manifest import Identity, Object
    from sidelane.releases.readiness import Readiness
    from sidelane.releases.running.reading import Running
    from sidelane.releases.stores.waits import Waits


class ClusterTarget:
    """The releases of one namespace. namespace: None for Helm's own choice, the kubeconfig's or "default"."""

    def __init__(self, helm: Helm, namespace: str | None = None) -> None:
        self.helm = helm
        self.namespace = namespace
        self._facts: Shared[Facts] = Shared(10.0)
        self._namespaces: Shared[str] = Shared(10.0)
        self._may_go: set[str] = set()  # releases whose removal was requested

    async def chosen(self) -> str:
        return self.namespace or await self._namespaces.get("namespace", self.helm.namespace)

    async def where(self) -> str:
        return f"namespace {await self.chosen()}"

    def installing(
        self, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis = NOTHING
    ) -> AbstractAsyncContextManager[Create]:
        return creating.installing(self, name, chart, lane, options, basis)

    async def upgrade(
        self,
        rendering: Rendering,
        record: str | None,
        options: Options,
        *,
        basis: Basis = NOTHING,
        take_over: bool = False,
    ) -> Release:
        return await creating.upgrade(self, rendering, record, options, basis=basis, take_over=take_over)

    async def finish(self, release: Release, options: Options) -> Release:
        from sidelane.releases.stores import finishing  # noqa: PLC0415 - few need it

        return await finishing.finish(self, release, options)

    async def clear(self, release: Release, options: Options) -> None:
        from sidelane.releases.stores import finishing  # noqa: PLC0415 - few need it

        await finishing.clear(self, release, options)

    async def put_back(self, name: str, work: PutBack, options: Options) -> None:
        from sidelane.releases.stores import putting_back  # noqa: PLC0415 - few need it

        await putting_back.put_back(self, name, work, options)

    async def interrupted(self, name: str) -> int | None:
        from sidelane.releases.stores import putting_back  # noqa: PLC0415 - few need it

        return putting_back.interrupted(await self.helm.history(name, namespace=self.namespace))

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        return await leases.abandoned(self, releases)

    async def ours(self, releases: Iterable[Release]) -> frozenset[str]:
        names = frozenset(release.name for release in releases)
        # Only Sidelane labels releases with a holder, and Helm keeps the label: one call finds most of them.
        known = names & await self.labelled(HOLDER) if names else frozenset()
        if others := sorted(names - known):
            from sidelane.releases.stores.ours import carries_mark  # noqa: PLC0415 - few need it

            stored = await self.stored_all(others, if_there=True)
            known = known.union(each.release.name for each in stored if carries_mark(each))
        return known

    async def beyond(self, stored: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
        from sidelane.releases.stores import beyond  # noqa: PLC0415 - few need it

        return await beyond.of_cluster(ClusterReader(self.helm, self.namespace), stored)

    async def made_from(self, inputs: Mapping[str, str]) -> frozenset[str]:
        return await labelled.made_from(self.helm, self.namespace, inputs)

    async def mine(self, lane: Lane) -> frozenset[str]:
        return await self.labelled(f"{LANE}={lane},{HOLDER}={holder().token}")

    async def levels(self, lane: Lane) -> Mapping[str, int]:
        return await labelled.levels(self.helm, self.namespace, lane)

    async def needing(self, name: str) -> tuple[str, ...]:
        return await labelled.needing(self.helm, self.namespace, name)

    async def claims(self, lane: Lane, release: str | None) -> tuple[str, ...] | None:
        from sidelane.releases.stores import claims  # noqa: PLC0415 - few need it

        try:
            return await claims.find(self.helm, self.namespace, _claimed(lane, release))
        except ClusterDenied:
            return None

    async def delete_claims(self, lane: Lane, release: str | None, options: Options) -> tuple[str, ...]:
        from sidelane.releases.stores import claims  # noqa: PLC0415 - few need it

        return await claims.delete(self, str(lane), _claimed(lane, release), options)

    async def stored(self, name: str, *, revision: int | None = None) -> Stored:
        return stored_of(await self.answer(name, revision=revision))

    async def stored_all(self, names: Sequence[str], *, if_there: bool = False) -> list[Stored]:
        from sidelane.releases.stores import many  # noqa: PLC0415 - few need it

        at_once = await many.read(self, names)
        known = at_once or {}
        others = [name for name in names if name not in known] if at_once is None or not if_there else []
        read = await some_at_a_time(map(self._if_there if if_there else self.stored, others))
        known |= {stored.release.name: stored for stored in read if stored is not None}
        return [known[name] for name in names if name in known]

    async def histories(self, names: Sequence[str]) -> Mapping[str, Sequence[Stored]] | None:
        """Returns every revision of the releases of these names that exist, oldest first, read with one Helm. None if
        Helm's own commands must read each: for one name, and if Helm does not keep its releases in Secrets.
        """
        from sidelane.releases.stores import many  # noqa: PLC0415 - few need it

        return await many.histories(self, names)

    async def _if_there(self, name: str) -> Stored | None:
        try:
            return await self.stored(name)
        except ReleaseNotFound:  # removed a moment ago
            return None

    async def record(self, name: str) -> str | None:
        first, *more = await self.helm.history(name, namespace=self.namespace)
        return (await self.stored(name, revision=int(first["revision"]))).record if more else None

    async def live(self, objects: Sequence[Object]) -> Mapping[Identity, Mapping[str, Any]]:
        from sidelane.releases.stores import live  # noqa: PLC0415 - see charts/rendering.py

        return await live.read(ClusterReader(self.helm, self.namespace), objects)

    async def running(self, objects: Sequence[Object], releases: Sequence[str]) -> Running:
        from sidelane.releases.running import reading  # noqa: PLC0415 - few need it

        return await reading.read(self.helm, await self.chosen(), objects, releases)

    async def readiness(self, stored: Sequence[Stored]) -> tuple[Readiness, ...]:
        from sidelane.releases.readiness import Readiness  # noqa: PLC0415 - a call that does not wait does not need it

        try:
            return await self.waits.readiness(stored)
        except SidelaneError as error:
            unknown = Readiness(0, 0, complete=False, note=f"readiness can't be read: {error.problem}")
            return (unknown,) * len(stored)

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> Readiness:
        return await self.waits.ready(stored, what, options)

    async def facts(self) -> Facts:
        return await self._facts.get("facts", lambda: facts(self.helm, self.namespace))

    async def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        rows = await self.helm.list_all(namespace=self.namespace, all_namespaces=all_namespaces)
        releases = (
            Release(
                name=row["name"],
                namespace=row["namespace"],
                status=row["status"],
                revision=int(row["revision"]),
                chart=row["chart"],
                app_version=row["app_version"],
                updated=parse_time(row["updated"]),
            )
            for row in rows
        )
        return tuple(sorted(releases, key=lambda release: (release.namespace, release.name)))

    async def status(self, name: str) -> Release:
        answer = await self.answer(name, objects=True)
        metadata, (readiness,) = await together(
            self.helm.metadata(name, namespace=self.namespace), self.readiness([stored_of(answer)])
        )
        return replace(
            release_of(answer, objects=True),
            chart=f"{metadata['chart']}-{metadata['version']}",
            app_version=metadata["appVersion"],
            readiness=readiness,
        )

    async def uninstall(self, name: str, options: Options, *, stored: Stored | None = None) -> Release:
        stored = stored or await self.stored(name)
        if name not in self._may_go:
            await self.require_rights([stored])
        removing = self.helm.uninstall(name, namespace=self.namespace, wait=options.wait, timeout=options.timeout)
        await (self.waits.while_pods_end(stored, options, removing) if options.wait else removing)
        return replace(stored.release, status="uninstalled", change="uninstalled")

    async def require_rights(self, releases: Iterable[Stored], *, claims: bool = False) -> None:
        from sidelane.releases.stores.rights import require_removal  # noqa: PLC0415 - few need it

        going = list(releases)
        await require_removal(self.helm, going, claims=claims)
        self._may_go |= {stored.release.name for stored in going}

    @functools.cached_property
    def recording(self) -> Recording:
        return Recording(self.facts, self._is_there)

    async def _is_there(self, name: str) -> bool:
        try:
            await self.answer(name)
        except ReleaseNotFound:
            return False
        return True

    @functools.cached_property
    def waits(self) -> Waits:
        from sidelane.releases.stores.waits import Waits  # noqa: PLC0415 - a call that does not wait does not need it

        return Waits(self.helm, self.namespace)

    async def labelled(self, *selectors: str) -> frozenset[str]:
        """Returns the names of the releases that any of these selectors matches."""
        return await labelled.names(self.helm, self.namespace, *selectors)

    async def answer(self, name: str, *, objects: bool = False, revision: int | None = None) -> dict[str, Any]:
        """Returns Helm's JSON of `status`. Raises ReleaseNotFound."""
        try:
            return await self.helm.status(name, namespace=self.namespace, objects=objects, revision=revision)
        except ReleaseNotFound:
            raise not_there(name, await self.where()) from None


def _claimed(lane: Lane, release: str | None) -> dict[str, str]:
    """Returns the labels of the claims of a lane, or of one release of it."""
    return {LANE: str(lane)} | ({INSTANCE: release} if release else {})
