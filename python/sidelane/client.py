"""The SDK's face: releases on one target.

    from sidelane import Client, Lane

    client = Client(namespace="streams")
    client.install("zookeeper", Lane("2-coco", 1), values={"replicas": 5})

AsyncClient is the one implementation; Client is the same verbs for scripts, each waiting for its result.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from sidelane import releases
from sidelane.client_routes import RouteVerbs
from sidelane.connection import Connection
from sidelane.errors import InvalidInput
from sidelane.lane import Lane
from sidelane.rendering import Rendering
from sidelane.targets import Options, Release
from sidelane.tasks import together
from sidelane.values import with_service

if TYPE_CHECKING:
    from sidelane.bundle import Bundle
    from sidelane.bundling import Replayed
    from sidelane.check import Report
    from sidelane.deployment import Applied, Deployment, Plan
    from sidelane.diff import Comparison
    from sidelane.graph.model import Graph
    from sidelane.record import Record
    from sidelane.retire import Retirement
    from sidelane.verify import Verification

P = ParamSpec("P")
R = TypeVar("R")


class AsyncClient(Connection, RouteVerbs):
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
            return await releases.install(
                self._target,
                self._renderer(found),
                found,
                _lane(lane),
                with_service(values or {}, found, name=name, service_version=service_version),
                options=options,
                progress=self._progress,
            )

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
            return await releases.upgrade(
                self._target,
                self._renderer(found),
                found,
                _lane(lane),
                with_service(values or {}, found, name=name, service_version=service_version),
                reuse_values=reuse_values,
                options=options,
                progress=self._progress,
            )

    async def plan(
        self,
        file: str | os.PathLike[str],
        *,
        namespace: str | None = None,
        version: str | None = None,
        build: str | int | None = None,
        parallel: int | None = None,
    ) -> Plan:
        """What a deployment file would do; nothing is changed.

        namespace, version, build: in the place of the file's namespace, Version and Build. The client's own namespace
        is for files that name none. parallel: how many releases are worked on at a time. Raises InvalidDeployment,
        CheckFailed, and HelmError's family; what is refused is in the plan.
        """
        deployment = _deployment(file, namespace, version, build)
        at = self._in(deployment.namespace)
        async with AsyncClient._charts(at, deployment) as found:
            return await AsyncClient._planned(at, deployment, found, parallel)

    async def apply(
        self,
        file: str | os.PathLike[str],
        *,
        namespace: str | None = None,
        version: str | None = None,
        build: str | int | None = None,
        parallel: int | None = None,
        wait: bool = False,
        timeout: str | None = None,
        atomic: bool = False,
        create_namespace: bool = False,
    ) -> Applied:
        """Brings a lane to what a deployment file says: independent releases side by side, what others need first.

        The same again changes nothing; a run that was ended, however it was, is taken up by the next. atomic: when a
        release fails, what this run created is removed again, and nothing else. The rest is as in plan and install.
        Raises what plan raises, ReleaseConflict when anything is refused, and ApplyFailed.
        """
        deployment = _deployment(file, namespace, version, build)
        options = Options(wait, timeout, create_namespace=create_namespace)
        at = self._in(deployment.namespace)
        return await AsyncClient._applied(at, deployment, options=options, parallel=parallel, atomic=atomic)

    async def releases(self, lane: Lane | str | None = None, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Every release of the namespace, in every state, or those of one lane."""
        found = await self._target.releases(all_namespaces=all_namespaces)
        return tuple(release for release in found if lane is None or release.lane == _lane(lane))

    async def graph(self, lane: Lane | str | None = None) -> Graph:
        """The namespace as a picture: lanes, releases and where traffic goes; or what concerns one lane.

        ``sidelane.graph.render`` makes text, Mermaid, SVG or a page of it.
        """
        from sidelane.graph.gather import gather  # noqa: PLC0415 - see releases.py

        return await gather(self._target, self._router, self._namespace, None if lane is None else _lane(lane))

    async def status(self, name: str, lane: Lane | str | None = None) -> Release:
        """One release with its objects as they are now: by its own name, or by its chart's name and the lane."""
        return await self._target.status(_named(name, lane))

    async def record(self, name: str, lane: Lane | str | None = None) -> Record:
        """Where a release comes from: its record, an in-toto Statement. Named as in ``status``.

        Raises ReleaseNotFound where there is no such release, and where it was installed without a record.
        """
        return await releases.record(self._target, _named(name, lane))

    async def verify(self, name: str | None = None, lane: Lane | str | None = None) -> tuple[Verification, ...]:
        """Whether releases still are what was deployed: one, named as in ``status``, or without a name a whole lane.

        Each is held against its record and against the cluster: what was changed, by whom, and what is missing.
        Raises ReleaseNotFound.
        """
        from sidelane import verify  # noqa: PLC0415 - few need it

        if name is not None:
            return await verify.releases(self._target, [_named(name, lane)])
        if lane is None:
            raise InvalidInput("nothing is named to verify", remedy="name a release, or a lane")
        return await verify.lane(self._target, _lane(lane))

    async def diff(self, a: str, b: str | None = None) -> Comparison:
        """What differs between two lanes, releases or files, with the lane taken out of the names; without ``b``
        between a lane or a release and the cluster.

        a, b: a lane (``coco-1``), a release's own name, a deployment file (.yaml) or a bundle (.tar.gz).
        """
        from sidelane import diff, sides, verify  # noqa: PLC0415 - few need it

        if b is not None:
            return diff.compare(*await together(self._side(a), self._side(b)))
        names = await sides.names(self._target, a)
        return diff.of_cluster(a, await verify.releases(self._target, names))

    async def bundle(
        self, lane: Lane | str, file: str | os.PathLike[str], *, charts: Sequence[str | os.PathLike[str]] = ()
    ) -> Bundle:
        """Writes all that it takes to deploy a lane again into one file: a .tar.gz whose bytes its content gives.

        charts: those of the lane that do not travel with Sidelane. Raises ReleaseNotFound, ChartNotFound for a chart
        that is not the one that was deployed, and Refused when a replay could not make what is deployed.
        """
        from sidelane import bundle, bundling  # noqa: PLC0415 - few need it

        async with AsyncExitStack() as stack:
            known = [await stack.enter_async_context(self._chart(chart, None, None)) for chart in charts]
            made = await bundling.make(
                self._target,
                self._helm,
                _lane(lane),
                known,
                allow_secrets=self._allow_secrets,
                progress=self._progress,
            )
        return dataclasses.replace(made, digest=bundle.write(made, Path(file)))

    async def replay(
        self,
        file: str | os.PathLike[str],
        *,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
        create_namespace: bool = False,
    ) -> Replayed:
        """Deploys a bundled lane again, with the same objects byte for byte, into the client's namespace or else the
        bundle's. Raises Refused, with every field that would differ, and has then installed nothing.
        """
        from sidelane import bundle  # noqa: PLC0415 - few need it

        opened = bundle.read(os.fspath(file))
        at = self._in(None if self._settings["namespace"] else opened.namespace)
        return await AsyncClient._replayed(at, opened, Options(wait, timeout, rollback_on_failure, create_namespace))

    async def uninstall(
        self, name: str, lane: Lane | str | None = None, *, wait: bool = False, timeout: str | None = None
    ) -> Release:
        """Removes one release; the claims of its stateful sets stay. Named as in ``status``."""
        options = Options(wait=wait, timeout=timeout)
        return await self._target.uninstall(_named(name, lane), options)

    async def retire(
        self,
        lane: Lane | str,
        release: str | None = None,
        *,
        min_age: str = "0s",
        drain: str = "30s",
        delete_claims: bool = False,
        timeout: str | None = None,
        dry_run: bool = False,
    ) -> Retirement:
        """Removes a lane, or one release of it, when nothing needs it: see sidelane.retire.

        min_age: how long ago it was last changed at least. drain: how long what a route led there is given, after the
        route has left it. delete_claims: with the claims of its stateful sets. dry_run: only look. Lengths of time are
        written as Helm's, ``24h``. Raises StillHeld with everything that is in the way.
        """
        from sidelane import retire  # noqa: PLC0415 - other verbs need none of it

        own, name = _lane(lane), None if release is None else _named(release, lane)
        if dry_run:
            return await retire.look(self._target, own, release=name, min_age=min_age)
        return await retire.retire(
            self._target,
            own,
            release=name,
            min_age=min_age,
            drain=drain,
            delete_claims=delete_claims,
            timeout=timeout,
            progress=self._progress,
        )

    async def outdated(self, keep: int, *, version: str | None = None, min_age: str = "0s") -> tuple[Retirement, ...]:
        """The lanes beyond the ``keep`` youngest, the oldest first, and what is in the way of retiring each.

        version: look at the lanes of this Version alone. Nothing is changed.
        """
        from sidelane import retire  # noqa: PLC0415 - other verbs need none of it

        there = await self._target.releases()
        lanes = retire.outdated(there, keep, version=version)
        return tuple(await retire.look_at(self._target, lanes, there, min_age=min_age))

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
            _lane(lane),
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
            _lane(lane),
            values,
            name=name,
            service_version=service_version,
            version=version,
            repo=repo,
            kube_version=kube_version,
            api_versions=api_versions,
        )
        from sidelane.check import check  # noqa: PLC0415 - see releases.py

        return rendering, check(rendering.manifest, lane=rendering.lane, whole=whole)


def _deployment(
    file: str | os.PathLike[str], namespace: str | None, version: str | None, build: str | int | None
) -> Deployment:
    from sidelane import deployment as deployments  # noqa: PLC0415 - other verbs need none of it

    read = deployments.read(file, version=version, build=build)
    return read if namespace is None else dataclasses.replace(read, namespace=namespace)


def _lane(lane: Lane | str) -> Lane:
    return lane if isinstance(lane, Lane) else Lane.parse(lane)


def _named(name: str, lane: Lane | str | None) -> str:
    return releases.named(name, None if lane is None else _lane(lane))


def _waiting(
    verb: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Client, P], R]:
    """The verb of AsyncClient, called and waited for."""

    @functools.wraps(verb)
    def call(self: Client, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            # A verb needs of its client what Connection has, and no more.
            return asyncio.run(verb(cast("AsyncClient", self), *args, **kwargs))
        raise InvalidInput(
            f"Client.{verb.__name__} was called inside a running event loop, which it would block",
            remedy=f"use `await AsyncClient(...).{verb.__name__}(...)` there",
        )

    return cast("Callable[Concatenate[Client, P], R]", call)


class Client(Connection):
    """AsyncClient for scripts: the same arguments and the same verbs, each waiting for its result."""

    install = _waiting(AsyncClient.install)
    upgrade = _waiting(AsyncClient.upgrade)
    releases = _waiting(AsyncClient.releases)
    graph = _waiting(AsyncClient.graph)
    status = _waiting(AsyncClient.status)
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
    diff = _waiting(AsyncClient.diff)
    bundle = _waiting(AsyncClient.bundle)
    replay = _waiting(AsyncClient.replay)
