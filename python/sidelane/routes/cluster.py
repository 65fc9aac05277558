"""Routes on a cluster, written and read through Helm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from sidelane.charts.rendering import Rendering
from sidelane.errors import (
    InvalidValues,
    KindNotServed,
    NotWhatWasChecked,
    ReleaseConflict,
    ReleaseExists,
    ReleaseNotFound,
    RouteChanged,
    TargetBusy,
)
from sidelane.helm.flags import Flags
from sidelane.helm.gathering import GatheringReader
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import LiveObject, Query
from sidelane.manifest import Manifest, Object, diff
from sidelane.manifest.fields import mapping, walk
from sidelane.naming.labels import LANE, RELEASE_OF
from sidelane.releases.stores import Options, Release, Stored, leases, no_release
from sidelane.releases.stores.answers import parse_time, stored_of
from sidelane.releases.stores.cluster import ClusterTarget
from sidelane.routes.announcing import Announcer
from sidelane.routes.model import about
from sidelane.routes.notes import Revision
from sidelane.routes.places import AT_ONCE, HISTORY, Backend, History, Sight
from sidelane.support.concurrency import some_at_a_time

_SLICES: Final = ("discovery.k8s.io/v1", "EndpointSlice")
_OF_SERVICE: Final = "kubernetes.io/service-name"


class ClusterPlace:
    """Routes of one namespace of a cluster."""

    def __init__(self, target: ClusterTarget) -> None:
        self._target = target
        self._helm = target.helm
        self._namespace = target.namespace
        self._reader = GatheringReader(ClusterReader(target.helm, target.namespace))

    async def stored(self, release: str, revision: int | None = None) -> Stored:
        return await self._target.stored(release, revision=revision)

    async def stored_if_there(self, releases: Sequence[str]) -> list[Stored]:
        return await self._target.stored_all(releases, if_there=True)

    async def histories(self, releases: Sequence[str]) -> list[History]:
        at_once = await self._target.histories(releases)
        if at_once is None:
            read = await some_at_a_time(map(self._history, releases), AT_ONCE)
            return [history for history in read if history is not None]
        return [_history(at_once[name]) for name in releases if name in at_once]

    async def _history(self, release: str) -> History | None:
        try:
            stored = await self.stored(release)
            rows = await self._helm.history(
                release, namespace=self._namespace
            )  # not before: it would lack the last one
        except ReleaseNotFound:
            return None
        revisions = tuple(
            Revision(int(row["revision"]), parse_time(row["updated"]), row["status"], row["description"])
            for row in rows
            if int(row["revision"]) <= stored.release.revision
        )
        return History(stored, revisions)

    async def missing(self, release: str) -> ReleaseNotFound:
        return await no_release(self._target, release)

    async def releases(self) -> tuple[Release, ...]:
        return await self._target.releases()

    async def look(self, manifest: Manifest | None, services: Iterable[str]) -> Sight:
        objects = manifest.objects if manifest else ()
        names = sorted(set(services))
        queries = [Query(str(obj.body["apiVersion"]), obj.kind, obj.name, obj.identity.namespace) for obj in objects]
        queries += [Query("v1", "Service", name) for name in names]
        queries += [Query(*_SLICES, labels={_OF_SERVICE: name}) for name in names]
        try:
            answers = await self._reader.read(*queries)
        except KindNotServed as error:
            raise KindNotServed(error.problem, remedy="install its definitions, or use another mode") from None
        live, rest = answers[: len(objects)], answers[len(objects) :]
        backends = {
            name: _backend(service[0], slices)
            for name, service, slices in zip(names, rest[: len(names)], rest[len(names) :], strict=True)
            if service
        }
        return Sight(tuple(_drift(objects, live)), backends)

    async def restarts(self, pods: Iterable[Mapping[str, str]]) -> Mapping[str, int] | None:
        answers = await self._reader.read(*(Query("v1", "Pod", "", None, labels) for labels in pods))
        return {
            pod["metadata"]["name"]: sum(int(container.get("restartCount", 0)) for container in _containers(pod))
            for answer in answers
            for pod in answer
        }

    async def announcer(self) -> Announcer:
        return Announcer(self._helm.settings, await self._target.chosen())

    async def create(self, rendering: Rendering, note: str) -> Release:
        async with self._helm.installing(
            rendering.release,
            rendering.chart.path,
            namespace=self._namespace,
            flags=Flags({LANE: str(rendering.lane)}, note),
        ) as install:
            answer = await install(rendering.values)
        return _written(rendering, stored_of(answer))

    async def change(self, rendering: Rendering, note: str, revision: int, *, overwrite: bool = False) -> Release:
        # The chart compares this number with the number of the revision that Helm creates, and Helm creates each number
        # once: so only the revision that the caller saw is changed, however many processes try.
        values = {**rendering.values, "expectedRevision": revision}
        try:
            # The labels show others whether this process still works on a pending revision.
            async with leases.working(self._target, rendering.release, Options()) as labels:
                answer = await self._helm.upgrade(
                    rendering.release,
                    rendering.chart.path,
                    values,
                    namespace=self._namespace,
                    flags=Flags(labels, note),
                    history_max=HISTORY,
                    over="changes" if overwrite else "",
                )
        except InvalidValues as error:
            if "expectedRevision" not in error.problem:
                raise
            raise _changed(rendering.release) from None
        except TargetBusy as error:
            undo = about(rendering.release, "undo --overwrite")
            raise TargetBusy(error.problem, remedy=f"wait until it ends; if its process is dead, {undo}") from None
        except ReleaseExists:
            raise
        except ReleaseConflict as error:
            if "sh.helm.release" not in error.problem:
                raise
            raise _changed(rendering.release) from None
        return _written(rendering, stored_of(answer))

    async def remove(self, release: str) -> None:
        await self._target.uninstall(release, Options())

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        return await self._target.abandoned(releases)

    async def roll_back(self, release: str, revision: int, now: int) -> Release:
        if (await self.stored(release)).release.revision != now:
            raise _changed(release)
        await self._helm.rollback(release, revision, namespace=self._namespace)
        return (await self.stored(release)).release


def _written(rendering: Rendering, stored: Stored) -> Release:
    """Returns the release that Helm has written, after comparing it with the checked rendering.

    Raises NotWhatWasChecked.
    """
    if differences := stored.differences(rendering):
        raise NotWhatWasChecked(
            f"{rendering.release} differs from the content that was checked:\n  " + "\n  ".join(differences),
            remedy=f"another process may have changed it since: see {about(rendering.release)}",
        )
    return stored.release


def _history(revisions: Sequence[Stored]) -> History:
    releases = (stored.release for stored in revisions)
    return History(
        revisions[-1],
        tuple(Revision(each.revision, each.updated, each.status, each.description) for each in releases),
        {stored.release.revision: stored for stored in revisions},
    )


def _containers(pod: LiveObject) -> list[Mapping[str, Any]]:
    return mapping(pod, "status").get("containerStatuses") or []


def _changed(release: str) -> RouteChanged:
    return RouteChanged(
        f"another process changed {release} in between, and nothing was overwritten",
        remedy=f"see {about(release)}, then try again",
    )


def _backend(service: LiveObject, slices: Iterable[LiveObject]) -> Backend:
    # A pod with two address families is in two slices.
    states: dict[str, Mapping[str, Any]] = {}
    for endpoint in (endpoint for item in slices for endpoint in item.get("endpoints") or ()):
        name = mapping(endpoint, "targetRef").get("name") or endpoint["addresses"][0]
        states[name] = mapping(endpoint, "conditions")
    staying = [state for state in states.values() if state.get("terminating") is not True]
    return Backend(
        name=service["metadata"]["name"],
        labels=mapping(service, "metadata", "labels"),
        selector=mapping(service, "spec", "selector"),
        ports=tuple(port for _, port in walk(service, "spec.ports[].port")),
        ready=sum(state.get("ready") is not False for state in staying),  # absent is true (EndpointConditions)
        total=len(staying),
        release=str(mapping(service, "metadata", "annotations").get(RELEASE_OF, "")),
    )


def _drift(objects: Iterable[Object], live: Iterable[tuple[LiveObject, ...]]) -> Iterator[str]:
    for obj, bodies in zip(objects, live, strict=True):
        if not bodies:
            yield f"{obj.identity}: is missing"
            continue
        said, there = (obj._replace(body={"spec": _spec(obj.kind, body)}) for body in (obj.body, bodies[0]))
        yield from diff(Manifest((said,)), Manifest((there,)))


def _spec(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of an object's spec that a route sets. For a mesh's objects these are all fields: the charts
    set every default of the API. For a Service: the fields that the chart sets, and those that would change its pods.
    """
    spec = cast("dict[str, Any]", body.get("spec") or {})
    if kind != "Service":
        return spec
    ports = [{key: port.get(key) for key in ("name", "port", "targetPort", "protocol", "appProtocol")}
             for port in spec.get("ports") or ()]  # fmt: skip
    affinity = {"sessionAffinity": spec.get("sessionAffinity") or "None"}
    return {"type": spec.get("type"), "selector": spec.get("selector"), "ports": ports, **affinity}
