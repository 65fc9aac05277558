"""The SDK's face: releases on one target.

    from sidelane import Client, Lane

    client = Client(namespace="streams")
    client.install("zookeeper", Lane("2-coco", 1), values={"replicas": 5})

AsyncClient is the one implementation; Client is the same verbs for scripts, each waiting for its result.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from sidelane.charts.rendering import Rendering
from sidelane.charts.values import with_service
from sidelane.client_lanes import LaneVerbs
from sidelane.client_records import RecordVerbs
from sidelane.client_routes import RouteVerbs
from sidelane.connection import Connection, advising, lane_of, named
from sidelane.errors import InvalidInput
from sidelane.naming.lane import Lane
from sidelane.releases import installing
from sidelane.releases.stores import Options, Release

if TYPE_CHECKING:
    from sidelane.checks.engine import Report
    from sidelane.graph.model import Graph

P = ParamSpec("P")
R = TypeVar("R")


@advising
class AsyncClient(LaneVerbs, RecordVerbs, RouteVerbs):
    """Installs, upgrades, lists and removes releases on a cluster, or in a directory of manifests.

    namespace: None is Helm's own choice. directory: write manifests there and use no cluster; then ``allow_secrets``
    lets rendered Secrets be written too. The connection settings are Helm's, and None leaves each to Helm. helm: a
    helm to use in the place of the one on PATH. progress: told each step, one short line at a time.
    """

    async def install(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
        create_namespace: bool = False,
    ) -> Release:
        """Creates the lane's release of a chart. What is there with the same content is left as it is.

        chart: a bundled chart's name, a folder, a .tgz, ``repo/chart`` or ``oci://…``; version and repo are Helm's.
        name, service_version: of a service, for charts that name their releases by these values (``svc1-v1-coco-1``).
        wait: return when all is ready, within timeout (Helm's form, ``5m``). Returns the release, whose ``change`` is
        ``created`` or ``unchanged``. Raises InvalidValues, CheckFailed, ReleaseConflict, and HelmError's family.
        """
        options = Options(wait, timeout, rollback_on_failure, create_namespace)
        async with self._chart(chart, version, repo) as found:
            release = await installing.install(
                self._target,
                self._renderer(found),
                found,
                lane_of(lane),
                with_service(values or {}, found, name=name, service_version=service_version),
                options=options,
                progress=self._progress,
            )
            return (await self._with_drift([release]))[0]

    async def upgrade(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        values: Mapping[str, Any] | None = None,
        reuse_values: bool = False,
        version: str | None = None,
        repo: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
    ) -> Release:
        """Changes a release's operational values (those that its chart declares), and nothing else.

        The values are the whole of the user's, as with `helm upgrade`; reuse_values lays them over the release's.
        Raises ReleaseConflict when anything else would change, ReleaseNotFound when there is no such release.
        """
        options = Options(wait, timeout, rollback_on_failure)
        async with self._chart(chart, version, repo) as found:
            return await installing.upgrade(
                self._target,
                self._renderer(found),
                found,
                lane_of(lane),
                with_service(values or {}, found, name=name, service_version=service_version),
                reuse_values=reuse_values,
                options=options,
                progress=self._progress,
            )

    async def releases(self, lane: Lane | str | None = None, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Every release of the namespace, in every state, or those of one lane."""
        wanted = None if lane is None else lane_of(lane)
        found = await self._target.releases(all_namespaces=all_namespaces)
        if wanted is None or all_namespaces:
            return tuple(release for release in found if wanted is None or release.lane == wanted)
        from sidelane.releases.stores import ours  # noqa: PLC0415 - few need it

        return tuple(await ours.of_lane(self._target, wanted, found))

    async def where(self) -> str:
        """The place that the client works in, in words: ``namespace streams``; where Helm chooses it, Helm is asked."""
        return await self._target.where()

    async def graph(self, lane: Lane | str | None = None) -> Graph:
        """The namespace as a picture: lanes, releases and where traffic goes; or what concerns one lane.

        ``sidelane.graph.render`` makes text, Mermaid, SVG or a page of it.
        """
        from sidelane.graph.gather import gather  # noqa: PLC0415 - see installing.py

        return await gather(self._target, self._router, self._namespace, None if lane is None else lane_of(lane))

    async def status(self, name: str, lane: Lane | str | None = None) -> Release:
        """One release with its objects as they are now: by its own name, or by its chart's name and the lane.

        Its ``readiness`` has each pod that is not ready, with the reason; None in a directory, where nothing runs.
        """
        return await self._target.status(named(name, lane))

    async def uninstall(
        self,
        name: str,
        lane: Lane | str | None = None,
        *,
        wait: bool = False,
        timeout: str | None = None,
        foreign: bool = False,
        delete_cluster_objects: bool = False,
    ) -> Release:
        """Removes one release; the claims of its stateful sets stay. Named as in ``status``.

        foreign: also when Sidelane did not make it. delete_cluster_objects: also objects that are not of the namespace.
        Raises ReleaseNotFound, NotOurs, StillHeld.
        """
        from sidelane.lanes import retire  # noqa: PLC0415 - other verbs need none of it

        options, release = Options(wait=wait, timeout=timeout, progress=self._progress), named(name, lane)
        allowed = retire.Allowed(frozenset({release} if foreign else ()), delete_cluster_objects)
        return await retire.uninstall(self._target, release, options, allowed=allowed)

    async def render(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> str:
        """The manifest of a chart in a lane, as `helm template` prints it: no cluster is asked, nothing is checked."""
        rendering = await self._rendering(
            chart,
            lane_of(lane),
            values,
            name=name,
            service_version=service_version,
            version=version,
            repo=repo,
            kube_version=kube_version,
            api_versions=api_versions,
        )
        return rendering.text

    async def check(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        whole: bool = False,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> tuple[Rendering, Report]:
        """A chart rendered for a lane, and what the rules find in it; no cluster is asked, nothing is installed.

        whole: the chart is all of its lane, so that what it names there has to be in it.
        """
        rendering = await self._rendering(
            chart,
            lane_of(lane),
            values,
            name=name,
            service_version=service_version,
            version=version,
            repo=repo,
            kube_version=kube_version,
            api_versions=api_versions,
        )
        from sidelane.checks.engine import check  # noqa: PLC0415 - see installing.py

        return rendering, check(rendering.manifest, lane=rendering.lane, whole=whole)


def _in_a_loop() -> bool:
    """Whether an event loop runs here. A verb is not called where this is found out, so that its errors have no context
    that is none.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _waiting(
    verb: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Client, P], R]:
    """The verb of AsyncClient, called and waited for."""

    @functools.wraps(verb)
    def call(self: Client, *args: P.args, **kwargs: P.kwargs) -> R:
        if _in_a_loop():
            raise InvalidInput(
                f"Client.{verb.__name__} was called inside a running event loop, which it would block",
                remedy=f"use `await AsyncClient(...).{verb.__name__}(...)` there",
            )
        # A verb needs of its client what Connection has, and no more.
        return asyncio.run(verb(cast("AsyncClient", self), *args, **kwargs))

    return cast("Callable[Concatenate[Client, P], R]", call)


class Client(Connection):
    """AsyncClient for scripts: the same arguments and the same verbs, each waiting for its result."""

    install = _waiting(AsyncClient.install)
    upgrade = _waiting(AsyncClient.upgrade)
    releases = _waiting(AsyncClient.releases)
    where = _waiting(AsyncClient.where)
    graph = _waiting(AsyncClient.graph)
    status = _waiting(AsyncClient.status)
    lane_status = _waiting(AsyncClient.lane_status)
    wait = _waiting(AsyncClient.wait)
    uninstall = _waiting(AsyncClient.uninstall)
    plan = _waiting(AsyncClient.plan)
    apply = _waiting(AsyncClient.apply)
    retire = _waiting(AsyncClient.retire)
    outdated = _waiting(AsyncClient.outdated)
    render = _waiting(AsyncClient.render)
    check = _waiting(AsyncClient.check)
    route = _waiting(AsyncClient.route)
    routes = _waiting(AsyncClient.routes)
    routed = _waiting(AsyncClient.routed)
    route_history = _waiting(AsyncClient.route_history)
    undo_route = _waiting(AsyncClient.undo_route)
    shift_route = _waiting(AsyncClient.shift_route)
    end_shift = _waiting(AsyncClient.end_shift)
    record = _waiting(AsyncClient.record)
    verify = _waiting(AsyncClient.verify)
    repair = _waiting(AsyncClient.repair)
    diff = _waiting(AsyncClient.diff)
    bundle = _waiting(AsyncClient.bundle)
    replay = _waiting(AsyncClient.replay)
