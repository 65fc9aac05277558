"""The releases of a Kubernetes cluster, through Helm."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sidelane.charts.rendering import Rendering
from sidelane.charts.sources import Chart
from sidelane.errors import (
    ClusterDenied,
    FieldsOwned,
    HelmError,
    NotWhatWasChecked,
    ReleaseConflict,
    ReleaseExists,
    ReleaseNotFound,
    SidelaneError,
    TargetBusy,
    TimedOut,
)
from sidelane.helm.client import Halt, Helm
from sidelane.helm.durations import seconds
from sidelane.helm.flags import Flags
from sidelane.helm.lookup import ClusterReader
from sidelane.manifest.fields import at
from sidelane.naming.labels import DEADLINE, HOLDER, INPUTS, INSTANCE, LANE, LEVEL, NEEDS
from sidelane.naming.lane import Lane
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.provenance import carried
from sidelane.releases.provenance.cluster import Facts, facts
from sidelane.releases.stores import Create, Found, MakeRecord, Options, PutBack, Release, Stored, not_there
from sidelane.releases.stores.answers import parse_time, release_of, stored_of, told_of
from sidelane.releases.stores.holding import dead_holders, holder, taking_over
from sidelane.releases.stores.recording import Install, Recording
from sidelane.support.concurrency import Shared, some_at_a_time, together

if TYPE_CHECKING:
    from sidelane.manifest import Object
    from sidelane.releases.readiness import Readiness
    from sidelane.releases.stores.waits import Waits

T = TypeVar("T")

#: Helm's annotation with the release that owns an object.
_OWNER = "meta.helm.sh/release-name"

#: The most digests in one selector: an argument of a command line has at most 128 KiB.
_DIGESTS = 1000


class ClusterTarget:
    """The releases of one namespace. namespace: None for Helm's own choice, the kubeconfig's or "default"."""

    def __init__(self, helm: Helm, namespace: str | None = None) -> None:
        self._helm = self.helm = helm
        self.namespace = namespace
        self._facts: Shared[Facts] = Shared(10.0)
        self._namespaces: Shared[str] = Shared(10.0)
        self._may_go: set[str] = set()  # releases whose removal was requested

    async def chosen(self) -> str:
        return self.namespace or await self._namespaces.get("namespace", self._helm.namespace)

    async def where(self) -> str:
        return f"namespace {await self.chosen()}"

    @asynccontextmanager
    async def installing(
        self, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis = NOTHING
    ) -> AsyncIterator[Create]:
        with carried.carrying(chart) as carrier:
            async with self._naming_rights(options), self._working(name, options, basis) as labels:
                begun = functools.partial(
                    self._helm.installing,
                    name,
                    carrier.path,
                    namespace=self.namespace,
                    create_namespace=options.create_namespace,
                    # The lane, so that users of plain Helm find its releases with `helm list --selector`.
                    flags=Flags({**labels, LANE: str(lane)}, wait=options.waits, timeout=options.timeout),
                )
                async with begun() as install:

                    async def create(rendering: Rendering, record: MakeRecord | None) -> Release:
                        write = functools.partial(carrier.write, name, str(lane))

                        async def made(install: Install) -> Mapping[str, Any]:
                            work = functools.partial(install, rendering.values)
                            return await self._waited(rendering, options, "install", work)

                        async with self._undoing(name, options):
                            answer = await self._recording.made(
                                name, record, write=write, make=made, install=install, begun=begun
                            )
                        return self._deployed(answer, rendering, "created")

                    yield create

    async def upgrade(
        self,
        rendering: Rendering,
        record: str | None,
        options: Options,
        *,
        basis: Basis = NOTHING,
        take_over: bool = False,
    ) -> Release:
        name = rendering.release
        with carried.carrying(rendering.chart) as carrier:
            if record is not None:
                there = (await self.stored(name)).record_data if carried.is_large(record) else None
                carrier.write(name, str(rendering.lane), record, there)
            async with self._working(name, options, basis) as labels, self._undoing(name, options):
                answer = await self._waited(
                    rendering,
                    options,
                    "upgrade",
                    lambda halt: self._helm.upgrade(
                        name,
                        carrier.path,
                        rendering.values,
                        namespace=self.namespace,
                        flags=Flags(labels, wait=options.waits, timeout=options.timeout),
                        over="owners" if take_over else "",
                        halt=halt,
                    ),
                )
        return self._deployed(answer, rendering, "upgraded")

    async def finish(self, release: Release, options: Options) -> Release:
        # A rollback to the last deployed revision undoes an incomplete upgrade. If nothing was deployed yet, a rollback
        # to the release's own revision creates its missing objects, and changes nothing else. Of two at a time one
        # fails, because both create a revision with the same number.
        async with self._taking_over(release), self._working(release.name, options):
            history = await self._helm.history(release.name, namespace=self.namespace)
            deployed = [int(row["revision"]) for row in history if row["status"] == "deployed"]
            to = deployed[-1] if deployed else release.revision
            await self._require_own(await self.stored(release.name, revision=to))

            def roll_back(_: Halt | None) -> Awaitable[None]:
                return self.roll_back(release.name, to, options)

            try:
                if options.waits:
                    stored = await self.stored(release.name, revision=to)
                    if not deployed and release.status == "failed":
                        await self._waits.require_hope(stored, options)
                    # A failed rollback undoes nothing.
                    waited = options._replace(rollback_on_failure=False)
                    await self._waits.over_helm(
                        release.name, stored.manifest.objects, stored.values, waited, roll_back, hooks="rollback"
                    )
                else:
                    await roll_back(None)
            except ReleaseExists:
                raise _busy(release.name) from None
            except (HelmError, FieldsOwned):
                # Helm 3 does not roll back over an object that the upgrade had not deleted yet. Then the release is
                # marked as failed, and can be upgraded, which is enough.
                if not deployed or (await self.stored(release.name)).release.is_pending:
                    raise
        return replace(release_of(await self._status(release.name)), change="finished")

    async def roll_back(self, name: str, revision: int, options: Options) -> None:
        """Restores a revision. Replicas that others set become the release's again; other fields of theirs raise
        FieldsOwned.
        """
        rollback = functools.partial(
            self._helm.rollback, name, revision, namespace=self.namespace, wait=options.waits, timeout=options.timeout
        )
        try:
            await rollback()
        except FieldsOwned as owned:
            if any(field != ".spec.replicas" for field in owned.fields):
                raise
            await rollback(take_over=True)

    async def _require_own(self, stored: Stored) -> None:
        """Raises ReleaseConflict for a foreign object in a release, which a rollback would change anyway."""
        name = stored.release.name
        objects = [obj for obj in stored.manifest.objects if not obj.is_hook]
        found = (await self.found(objects)).objects
        owners = {one: at(body, "metadata", "annotations", _OWNER) for one, body in found.items()}
        if others := {one: owner for one, owner in owners.items() if owner != name}:
            lines = [
                f"{one} belongs to {f'the release {owner}' if owner else 'no release'}" for one, owner in others.items()
            ]
            raise ReleaseConflict(
                f"{name} was left {stored.release.status}, and is not finished:\n  " + "\n  ".join(lines),
                differences=tuple(lines),
                remedy=f"run `sidelane uninstall {name}`, remove the objects named above, then install it again",
            )

    async def clear(self, release: Release, options: Options) -> None:
        from sidelane.releases.stores import leftovers  # noqa: PLC0415 - few need it

        async with self._taking_over(release), self._working(release.name, options):
            # First, while the release still has the list to clear: a killed process can begin again.
            await leftovers.remove(self, await self.stored(release.name), options)
            await self._helm.uninstall(release.name, namespace=self.namespace, wait=True, timeout=options.timeout)

    async def put_back(self, name: str, work: PutBack, options: Options) -> None:
        from sidelane.releases.stores import putting_back  # noqa: PLC0415 - few need it

        release = release_of(await self._status(name))
        async with self._taking_over(release), self._working(name, options) as labels:
            await putting_back.tell(self._helm, release, work, labels=labels, options=options)
            if work.rendering is not None and None in work.there.values():
                # The chart's guard must find its own ConfigMap again.
                rest = {identity: body for identity, body in work.there.items() if body is not None}
                await putting_back.tell(self._helm, release, work._replace(there=rest), labels=labels, options=options)
            if work.rendering is None:
                await self._helm.rollback(
                    name, work.revision, namespace=self.namespace, timeout=options.timeout, patch=True
                )
                return
            with carried.carrying(work.rendering.chart) as carrier:
                if work.record is not None:
                    there = (await self.stored(name, revision=work.revision)).record_data
                    carrier.write(name, str(work.rendering.lane), work.record, there)
                answer = await self._helm.upgrade(
                    name,
                    carrier.path,
                    work.rendering.values,
                    namespace=self.namespace,
                    flags=Flags(labels, timeout=options.timeout),
                    over="hooks",
                )
            self._deployed(answer, work.rendering, "repaired")

    async def interrupted(self, name: str) -> int | None:
        from sidelane.releases.stores import putting_back  # noqa: PLC0415 - few need it

        return putting_back.interrupted(await self._helm.history(name, namespace=self.namespace))

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        pending = {release.name for release in releases if release.is_pending}
        dead = dead_holders() if pending else ()
        selectors = [f"{DEADLINE}<{int(time.time())}"] if pending else []
        selectors += [f"{HOLDER} in ({','.join(dead)})"] if dead else []
        return frozenset(pending & {name for found in await self._labelled(*selectors) for name in found})

    async def ours(self, releases: Iterable[Release]) -> frozenset[str]:
        names = frozenset(release.name for release in releases)
        # Only Sidelane labels releases with a holder, and Helm keeps the label: one call finds most of them.
        known = names & await self.labelled(HOLDER) if names else frozenset()
        others = sorted(names - known)
        marks = await some_at_a_time(self._carries_mark(name) for name in others)
        return known.union(name for name, ours in zip(others, marks, strict=True) if ours)

    async def _carries_mark(self, name: str) -> bool:
        from sidelane.releases.stores.ours import carries_mark  # noqa: PLC0415 - few need it

        try:
            return carries_mark(await self.stored(name))
        except ReleaseNotFound:  # removed a moment ago
            return False

    async def beyond(self, stored: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
        from sidelane.releases.stores import beyond  # noqa: PLC0415 - few need it

        return await beyond.of_cluster(ClusterReader(self._helm, self.namespace), stored)

    async def made_from(self, inputs: Mapping[str, str]) -> frozenset[str]:
        digests = list(inputs.values())
        parts = [digests[begin : begin + _DIGESTS] for begin in range(0, len(digests), _DIGESTS)]
        found = await self._labelled(*(f"{INPUTS} in ({','.join(part)})" for part in parts))
        return frozenset(name for names in found for name in names if name in inputs)

    async def mine(self, lane: Lane) -> frozenset[str]:
        return await self.labelled(f"{LANE}={lane},{HOLDER}={holder().token}")

    async def levels(self, lane: Lane) -> Mapping[str, int]:
        levels: dict[str, int] = {}
        level, selector = 0, f"{LANE}={lane}"
        while found := (await self._labelled(selector))[0]:
            levels.update(dict.fromkeys(found, level))
            selector = f"{LANE}={lane},{LEVEL}>{level}"
            level += 1
        return levels

    async def needing(self, name: str) -> tuple[str, ...]:
        (found,) = await self._labelled(f"{NEEDS}{name}")
        return tuple(sorted(found))

    async def claims(self, lane: Lane, release: str | None) -> tuple[str, ...] | None:
        from sidelane.releases.stores import claims  # noqa: PLC0415 - few need it

        try:
            return await claims.find(self._helm, self.namespace, _claimed(lane, release))
        except ClusterDenied:
            return None

    async def delete_claims(self, lane: Lane, release: str | None, options: Options) -> tuple[str, ...]:
        from sidelane.releases.stores import claims  # noqa: PLC0415 - few need it

        return await claims.delete(self, str(lane), _claimed(lane, release), options, waits=self._waits)

    async def stored(self, name: str, *, revision: int | None = None) -> Stored:
        return stored_of(await self._status(name, revision=revision))

    async def record(self, name: str) -> str | None:
        first, *more = await self._helm.history(name, namespace=self.namespace)
        return (await self.stored(name, revision=int(first["revision"]))).record if more else None

    async def found(self, objects: Sequence[Object]) -> Found:
        from sidelane.releases.stores.found import find  # noqa: PLC0415 - see charts/rendering.py

        return await find(ClusterReader(self._helm, self.namespace), objects)

    async def readiness(self, stored: Sequence[Stored]) -> tuple[Readiness, ...]:
        from sidelane.releases.readiness import Readiness  # noqa: PLC0415 - a call that does not wait does not need it

        try:
            return await self._waits.readiness(stored)
        except SidelaneError as error:
            unknown = Readiness(0, 0, complete=False, note=f"readiness can't be read: {error.problem}")
            return (unknown,) * len(stored)

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> Readiness:
        return await self._waits.ready(stored, what, options)

    async def facts(self) -> Facts:
        return await self._facts.get("facts", lambda: facts(self._helm, self.namespace))

    async def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        rows = await self._helm.list_all(namespace=self.namespace, all_namespaces=all_namespaces)
        found = (
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
        return tuple(sorted(found, key=lambda release: (release.namespace, release.name)))

    async def status(self, name: str) -> Release:
        answer = await self._status(name, objects=True)
        metadata, (readiness,) = await together(
            self._helm.metadata(name, namespace=self.namespace), self.readiness([stored_of(answer)])
        )
        return replace(
            release_of(answer, objects=True),
            chart=f"{metadata['chart']}-{metadata['version']}",
            app_version=metadata["appVersion"],
            readiness=readiness,
        )

    async def uninstall(self, name: str, options: Options) -> Release:
        stored = await self.stored(name)
        if name not in self._may_go:
            await self.require_rights([stored])
        removing = self._helm.uninstall(name, namespace=self.namespace, wait=options.wait, timeout=options.timeout)
        await (self._waits.while_pods_end(stored, options, removing) if options.wait else removing)
        return replace(stored.release, status="uninstalled", change="uninstalled")

    async def require_rights(self, releases: Iterable[Stored], *, claims: bool = False) -> None:
        """Raises ClusterDenied when a permission to remove these releases is missing, with or without their claims."""
        from sidelane.releases.stores.rights import require_removal  # noqa: PLC0415 - few need it

        asked = list(releases)
        await require_removal(self._helm, asked, claims=claims)
        self._may_go |= {one.release.name for one in asked}

    @asynccontextmanager
    async def _naming_rights(self, options: Options) -> AsyncIterator[None]:
        """After ClusterDenied, first reports a missing permission to create the namespace."""
        try:
            yield
        except ClusterDenied:
            if options.create_namespace:
                from sidelane.releases.stores.rights import require_namespaces  # noqa: PLC0415 - few need it

                await require_namespaces(self._helm)
            raise

    @functools.cached_property
    def _recording(self) -> Recording:
        return Recording(self.facts, self._is_there)

    async def _is_there(self, name: str) -> bool:
        try:
            await self._status(name)
        except ReleaseNotFound:
            return False
        return True

    @functools.cached_property
    def _waits(self) -> Waits:
        from sidelane.releases.stores.waits import Waits  # noqa: PLC0415 - a call that does not wait does not need it

        return Waits(self._helm, self.namespace)

    async def _waited(
        self, rendering: Rendering, options: Options, verb: str, work: Callable[[Halt | None], Awaitable[T]]
    ) -> T:
        """Runs the work, a call of Helm, and shows progress while Helm waits."""
        objects = rendering.manifest.objects
        # Helm waits for hooks also without --wait.
        if not options.waits and not any(f"-{verb}" in str(obj.annotations.get("helm.sh/hook")) for obj in objects):
            return await work(None)
        return await self._waits.over_helm(rendering.release, objects, rendering.values, options, work, hooks=verb)

    @asynccontextmanager
    async def _undoing(self, name: str, options: Options) -> AsyncIterator[None]:
        """Undoes the changes of the block's Helm when the block fails, if the options request it. Helm's own rollback
        would leave nothing to read the reasons from.
        """
        try:
            yield
        except ReleaseExists:
            raise  # another process owns it
        except BaseException as error:  # also a signal
            if options.rollback_on_failure:
                from sidelane.releases.stores import undo  # noqa: PLC0415 - few need it

                await undo.undo(self, name, error, options)
            raise

    async def labelled(self, selector: str) -> frozenset[str]:
        """Returns the names of the releases that a selector matches."""
        (found,) = await self._labelled(selector)
        return frozenset(found)

    async def _labelled(self, *selectors: str) -> list[list[str]]:
        """Returns the names of the releases that each selector matches."""
        calls = (self._helm.list_all(namespace=self.namespace, selector=selector) for selector in selectors)
        return [[row["name"] for row in rows] for rows in await asyncio.gather(*calls)]

    @asynccontextmanager
    async def _working(self, name: str, options: Options, basis: Basis = NOTHING) -> AsyncIterator[dict[str, str]]:
        """Yields the labels for a release that the block changes, and stops the block's Helm at their deadline."""
        # Helm's timeout applies to each of its steps: hooks before, objects, hooks after.
        limit = 3 * seconds(options.timeout or "5m") + 60
        if (lock := holder().lock) is not None:
            self._helm.keeps = (lock,)
        labels = holder().labels(limit)
        labels |= {INPUTS: basis.inputs} if basis.inputs else {}
        labels |= {LEVEL: str(basis.level)} if basis.level else {}
        labels |= {f"{NEEDS}{needed}": "" for needed in basis.needs}
        try:
            async with asyncio.timeout(limit):
                yield labels
        except ReleaseExists:
            raise  # nothing was started
        except TimeoutError:
            holder().leaves_work = True
            raise TimedOut(
                f"Helm did not end within {limit:.0f} seconds",
                remedy=f"see `sidelane status {name}`, or allow more time with --timeout",
            ) from None
        except BaseException:
            holder().leaves_work = True
            raise

    @asynccontextmanager
    async def _taking_over(self, release: Release) -> AsyncIterator[None]:
        """Locks an idle release on this machine. Raises TargetBusy when another process works on it."""
        try:
            with taking_over(f"{release.namespace}-{release.name}"):
                now = release_of(await self._status(release.name))
                changed = (now.revision, now.status) != (release.revision, release.status)
                if changed or (now.is_pending and not await self.abandoned([now])):
                    raise _busy(release.name)
                yield
        except BlockingIOError:
            raise _busy(release.name) from None

    async def _status(self, name: str, *, objects: bool = False, revision: int | None = None) -> dict[str, Any]:
        try:
            return await self._helm.status(name, namespace=self.namespace, objects=objects, revision=revision)
        except ReleaseNotFound:
            raise not_there(name, await self.where()) from None

    def _deployed(self, answer: Mapping[str, Any], rendering: Rendering, change: str) -> Release:
        """Compares Helm's report of the installed release with the checked rendering."""
        release = release_of(answer, change=change)
        stored = Stored(release, {}, *told_of(answer))
        if differences := stored.differences(rendering, just_made=True):
            raise NotWhatWasChecked(
                f"Helm installed {release.name} with other content than was checked:\n  " + "\n  ".join(differences),
                remedy=f"{', '.join(stored.sources(rendering))} renders differently each time, by randAlphaNum, now or "
                f"the like; `sidelane uninstall {release.name}`, and fix the chart",
            )
        return release


def _claimed(lane: Lane, release: str | None) -> dict[str, str]:
    """Returns the labels of the claims of a lane, or of one release of it."""
    return {LANE: str(lane)} | ({INSTANCE: release} if release else {})


def _busy(name: str) -> TargetBusy:
    return TargetBusy(f"another process is working on {name}", remedy="try again when it has ended")
