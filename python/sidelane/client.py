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
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from sidelane import charts, releases
from sidelane.charts import Chart
from sidelane.client_routes import RouteVerbs
from sidelane.errors import ChartNotFound, InvalidInput
from sidelane.helm import Helm
from sidelane.lane import Lane
from sidelane.rendering import Renderer, Rendering
from sidelane.targets import Options, Release, Target
from sidelane.targets.cluster import ClusterTarget
from sidelane.values import accepted, with_service

if TYPE_CHECKING:
    from sidelane.check import Report
    from sidelane.graph.model import Graph
    from sidelane.routing.changes import Router

P = ParamSpec("P")
R = TypeVar("R")


class _Connection:
    """A target and the Helm that renders for it: what both clients are made of."""

    def __init__(
        self,
        *,
        namespace: str | None = None,
        directory: str | os.PathLike[str] | None = None,
        allow_secrets: bool = False,
        kubeconfig: str | os.PathLike[str] | None = None,
        kube_context: str | None = None,
        kube_apiserver: str | None = None,
        kube_token: str | None = None,
        helm: str | os.PathLike[str] | None = None,
        progress: releases.Progress = releases.quiet,
    ) -> None:
        self._new_helm = functools.partial(
            Helm,
            executable=helm,
            kubeconfig=kubeconfig,
            kube_context=kube_context,
            kube_apiserver=kube_apiserver,
            kube_token=kube_token,
        )
        if directory is not None and not os.fspath(directory):
            raise InvalidInput("the directory's name is empty", remedy="name one, such as ./releases")
        self._directory = Path(directory) if directory is not None else None
        # On a cluster, no namespace is Helm's own choice; a directory has no such choice to offer.
        self._namespace = namespace or ("default" if directory is not None else None)
        self._allow_secrets = allow_secrets
        self._progress = progress

    @functools.cached_property
    def _helm(self) -> Helm:
        return self._new_helm()

    @functools.cached_property
    def _target(self) -> Target:
        if self._directory is None:
            return ClusterTarget(self._helm, self._namespace)
        from sidelane.targets.directory import DirectoryTarget  # noqa: PLC0415 - a cluster needs none of it

        return DirectoryTarget(self._directory, self._namespace or "default", allow_secrets=self._allow_secrets)

    @functools.cached_property
    def _router(self) -> Router:
        """What changes and reads routes on this target."""
        from sidelane.routing.changes import Router  # noqa: PLC0415 - releases need none of it
        from sidelane.routing.places import place_of  # noqa: PLC0415

        chart = charts.find("route")
        place = place_of(self._target)
        return Router(place, Renderer(self._helm, self._namespace), chart, self._progress)

    def _renderer(self, chart: Chart) -> Renderer:
        """How a chart is rendered that is to be installed: it may ask the cluster what it can only know there."""
        server = self._directory is None and chart.asks_the_cluster
        return Renderer(self._helm, self._namespace, server=server)

    async def _rendering(
        self,
        chart: str | os.PathLike[str],
        lane: Lane,
        values: Mapping[str, Any] | None,
        *,
        name: str | None,
        service_version: str | None,
        version: str | None,
        repo: str | None,
        **rendering: Any,
    ) -> Rendering:
        """A chart rendered as `helm template` does it, which asks no cluster."""
        async with self._chart(chart, version, repo) as found:
            renderer = Renderer(self._helm, self._namespace, **rendering)
            given = with_service(values or {}, found, name=name, service_version=service_version)
            return await renderer.render(found, lane, accepted(given, lane, found))

    @asynccontextmanager
    async def _chart(
        self, reference: str | os.PathLike[str], version: str | None, repo: str | None
    ) -> AsyncIterator[Chart]:
        """A chart on this machine; one that Helm has to fetch is there for as long as it is needed."""
        text = os.fspath(reference)
        if repo is None and not charts.is_remote(text):
            yield charts.find(text, version=version)
            return
        self._progress(f"fetching {text}")
        with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
            await self._helm.fetch(text, Path(folder), repo=repo, version=version)
            found = next(Path(folder).glob("*/Chart.yaml"), None)
            if found is None:
                raise ChartNotFound(f"what Helm fetched for {text!r} holds no chart", remedy="check the reference")
            yield Chart.load(found.parent)


class AsyncClient(_Connection, RouteVerbs):
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

    async def uninstall(
        self, name: str, lane: Lane | str | None = None, *, wait: bool = False, timeout: str | None = None
    ) -> Release:
        """Removes one release; the claims of its stateful sets stay. Named as in ``status``."""
        options = Options(wait=wait, timeout=timeout)
        return await self._target.uninstall(_named(name, lane), options)

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
            # A verb needs of its client what _Connection has, and no more.
            return asyncio.run(verb(cast("AsyncClient", self), *args, **kwargs))
        raise InvalidInput(
            f"Client.{verb.__name__} was called inside a running event loop, which it would block",
            remedy=f"use `await AsyncClient(...).{verb.__name__}(...)` there",
        )

    return cast("Callable[Concatenate[Client, P], R]", call)


class Client(_Connection):
    """AsyncClient for scripts: the same arguments and the same verbs, each waiting for its result."""

    install = _waiting(AsyncClient.install)
    upgrade = _waiting(AsyncClient.upgrade)
    releases = _waiting(AsyncClient.releases)
    graph = _waiting(AsyncClient.graph)
    status = _waiting(AsyncClient.status)
    uninstall = _waiting(AsyncClient.uninstall)
    render = _waiting(AsyncClient.render)
    check = _waiting(AsyncClient.check)
    route = _waiting(AsyncClient.route)
    routes = _waiting(AsyncClient.routes)
    routed = _waiting(AsyncClient.routed)
    route_history = _waiting(AsyncClient.route_history)
    undo_route = _waiting(AsyncClient.undo_route)
    shift_route = _waiting(AsyncClient.shift_route)
    end_shift = _waiting(AsyncClient.end_shift)
