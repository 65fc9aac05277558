"""A target and the Helm that renders for it: what both clients are made of."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sidelane.charts import sources
from sidelane.charts.rendering import Renderer, Rendering
from sidelane.charts.sources import Chart
from sidelane.charts.values import accepted, with_service
from sidelane.errors import ChartNotFound, InvalidInput, InvalidLane, InvalidName, SidelaneError
from sidelane.helm.client import Helm
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.releases import installing
from sidelane.releases.stores import Options, Release, Target
from sidelane.releases.stores.cluster import ClusterTarget
from sidelane.support.advice import Place

if TYPE_CHECKING:
    from sidelane.lanes.bundle.archives import Bundle
    from sidelane.lanes.bundle.making import Replayed
    from sidelane.lanes.deployment import Applied, Deployment, Plan
    from sidelane.lanes.deployment.planning import RouteStep
    from sidelane.lanes.diff import Side
    from sidelane.routes.changes import Router
    from sidelane.routes.routed import Routed

C = TypeVar("C")

#: How many releases of a deployment file are worked on at a time: Helm waits for the API server for half of its time.
PARALLEL = 2 * (os.cpu_count() or 1)


class Connection:
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
        progress: installing.Progress = installing.quiet,
    ) -> None:
        self._settings: dict[str, Any] = {
            "namespace": namespace,
            "directory": directory,
            "allow_secrets": allow_secrets,
            "kubeconfig": kubeconfig,
            "kube_context": kube_context,
            "kube_apiserver": kube_apiserver,
            "kube_token": kube_token,
            "helm": helm,
            "progress": progress,
        }
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
        from sidelane.releases.stores.directory import DirectoryTarget  # noqa: PLC0415 - a cluster needs none of it

        return DirectoryTarget(self._directory, self._namespace or "default", allow_secrets=self._allow_secrets)

    @contextmanager
    def _advising(self) -> Iterator[None]:
        """Errors that leave the block advise commands that are whole: with this connection's flags."""
        try:
            yield
        except SidelaneError as error:
            error.complete(Place.of(self._settings))
            raise

    def _in(self, namespace: str | None) -> Connection:
        """This connection for another namespace; for None, itself."""
        return self if namespace is None else Connection(**{**self._settings, "namespace": namespace})

    @functools.cached_property
    def _router(self) -> Router:
        """What changes and reads routes on this target."""
        from sidelane.routes.changes import Router  # noqa: PLC0415 - releases need none of it
        from sidelane.routes.places import place_of  # noqa: PLC0415

        chart = sources.find("route")
        place = place_of(self._target)
        return Router(place, Renderer(self._helm, self._namespace), chart, self._progress)

    def _renderer(self, chart: Chart) -> Renderer:
        """How a chart is rendered that is to be installed: it may ask the cluster what it can only know there."""
        cluster = self._directory is None
        return Renderer(self._helm, self._namespace, server=cluster and chart.asks_the_cluster, upgrades=cluster)

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
        if not isinstance(reference, str | os.PathLike):
            raise ChartNotFound(
                f"a chart is a name or a path, not {_kind(reference)}", remedy="see `sidelane charts` for the names"
            )
        text = os.fspath(reference)
        if repo is None and not sources.is_remote(text):
            yield sources.find(text, version=version)
            return
        self._progress(f"fetching {text}")
        with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
            await self._helm.fetch(text, Path(folder), repo=repo, version=version)
            found = next(Path(folder).glob("*/Chart.yaml"), None)
            if found is None:
                raise ChartNotFound(f"what Helm fetched for {text!r} holds no chart", remedy="check the reference")
            yield Chart.load(found.parent)

    @asynccontextmanager
    async def _charts(self, deployment: Deployment) -> AsyncIterator[list[Chart]]:
        """The chart of each release of a deployment file; each chart is fetched once."""
        async with AsyncExitStack() as stack:
            found: dict[tuple[str, str | None, str | None], Chart] = {}
            for wanted in deployment.releases:
                key = (wanted.chart, wanted.version, wanted.repo)
                if key not in found:
                    found[key] = await stack.enter_async_context(self._chart(*key))
            yield [found[wanted.chart, wanted.version, wanted.repo] for wanted in deployment.releases]

    async def _side(self, reference: str, file: Deployment | Bundle | None) -> Side:
        """One side of a comparison: a lane, a release, or a file, which is a deployment file or a bundle.

        Raises ReleaseNotFound, InvalidName for what is none of these, and what rendering a file raises.
        """
        from sidelane.lanes import sides  # noqa: PLC0415 - other verbs need none of it
        from sidelane.lanes.deployment import Deployment  # noqa: PLC0415

        if file is None:
            with self._advising():
                return await sides.of_releases(self._target, reference)
        if not isinstance(file, Deployment):
            return sides.of_bundle(reference, file)
        with self._advising():
            return await self._rendered(reference, file)

    async def _rendered(self, label: str, deployment: Deployment) -> Side:
        from sidelane.lanes import deployment as deployments  # noqa: PLC0415 - other verbs need none of it
        from sidelane.lanes import sides  # noqa: PLC0415

        async with self._charts(deployment) as found:
            made = [(part.chart, part.values) for part in deployments.parts(deployment, found)]
            made += deployments.routes(deployment, sources.find("route"))
            return await sides.of_charts(label, deployment.lane, made, self._renderer)

    async def _replayed(self, opened: Bundle, options: Options) -> Replayed:
        from sidelane.lanes.bundle import making  # noqa: PLC0415 - other verbs need none of it

        return await making.replay(
            self._target, self._helm, opened, self._renderer, options=options, progress=self._progress
        )

    async def _planned(
        self, deployment: Deployment, found: list[Chart], parallel: int | None, *, reset: bool = False
    ) -> Plan:
        from sidelane.lanes import deployment as deployments  # noqa: PLC0415 - other verbs need none of it

        return await deployments.plan(
            self._target,
            self._renderer,
            deployment,
            found,
            parallel=parallel or PARALLEL,
            reset=reset,
            progress=self._progress,
        )

    async def _with_drift(self, found: Sequence[Release]) -> tuple[Release, ...]:
        """The same, with what the cluster has otherwise of those that are unchanged."""
        unchanged = [one.name for one in found if one.change == "unchanged"]
        if not unchanged or self._directory is not None:  # nothing runs in a directory
            return tuple(found)
        from sidelane.releases import verify  # noqa: PLC0415 - other verbs need none of it

        drift = await verify.drifted(self._target, unchanged)
        return tuple(dataclasses.replace(one, drift=drift.get(one.name, ())) for one in found)

    async def _plan_with_drift(self, plan: Plan) -> Plan:
        """The same, with what the cluster has otherwise of releases that are unchanged."""
        unchanged = [one.release for one in plan.steps if one.action == "unchanged"]
        if not unchanged or self._directory is not None:
            return plan
        from sidelane.releases import verify  # noqa: PLC0415 - other verbs need none of it

        drift = await verify.drifted(self._target, unchanged)
        if not drift:
            return plan
        steps = (dataclasses.replace(one, why=drift.get(one.release, one.why)) for one in plan.steps)
        remedy = f"{len(drift)} drifted: {verify.remedy(drift, plan.namespace or self._namespace)}"
        return dataclasses.replace(plan, steps=tuple(steps), remedy="\n".join(filter(None, (plan.remedy, remedy))))

    def _whole(self, plan: Plan) -> Plan:
        """The same, with commands that name this connection's place."""
        return plan.whole(Place.of(self._settings))

    async def _applied(
        self, deployment: Deployment, *, options: Options, parallel: int | None, atomic: bool, reset: bool
    ) -> Applied:
        from sidelane.lanes import deployment as deployments  # noqa: PLC0415 - other verbs need none of it

        async def route(step: RouteStep) -> Routed:
            return await self._router.set(step.service, deployment.lane, step.split, values=step.values)

        async with self._charts(deployment) as found:
            applied = await deployments.apply(
                self._target,
                self._renderer,
                await self._planned(deployment, found, parallel, reset=reset),
                options=options,
                parallel=parallel or PARALLEL,
                atomic=atomic,
                route=route,
                progress=self._progress,
            )
            return dataclasses.replace(applied, releases=await self._with_drift(applied.releases))


def advising(client: type[C]) -> type[C]:
    """A class decorator: every verb of the client makes the commands whole that its errors advise."""
    for name, verb in inspect.getmembers(client, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            setattr(client, name, _advising(verb))
    return client


def _advising(verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(verb)
    async def call(self: Connection, *args: Any, **kwargs: Any) -> Any:
        with self._advising():
            return await verb(self, *args, **kwargs)

    return call


def lane_of(lane: Lane | str) -> Lane:
    """A lane, or what one is written as. Raises InvalidLane."""
    return lane if isinstance(lane, Lane) else Lane.parse(lane)


def named(name: str, lane: Lane | str | None) -> str:
    """The release that is meant: see installing.named. Raises InvalidName for a name that is not text, too."""
    if not isinstance(name, str):
        hint = "give a lane as lane=" if isinstance(name, Lane) else "write it such as 'zookeeper-2-coco-1'"
        raise InvalidName(f"a release's name is text, not {_kind(name)}", remedy=hint)
    return installing.named(name, None if lane is None else lane_of(lane))


def meant(name: Lane | str | None, lane: Lane | str | None) -> str | Lane:
    """The release, or the lane, of a verb that takes either: a lane may be its first argument, too.

    Raises InvalidInput where neither is given, InvalidName, InvalidLane and Refused.
    """
    if name is None and lane is None:
        raise InvalidInput("neither a release nor a lane is named", remedy="name one of them")
    if name is None:
        return lane_of(lane or "")
    if lane is None and (isinstance(name, Lane) or (isinstance(name, str) and _is_lane(name))):
        return lane_of(name)
    return named(cast("str", name), lane)


def _is_lane(text: str) -> bool:
    if parse_name(text) is not None:
        return False
    try:
        Lane.parse(text)
    except InvalidLane:
        return False
    return True


def path_of(file: str | os.PathLike[str]) -> str:
    """A file's path as text. Raises InvalidInput for what is no path."""
    if not isinstance(file, str | os.PathLike):
        raise InvalidInput(f"a file is named by its path, not {_kind(file)}", remedy="write it such as 'lane.yaml'")
    return os.fspath(file)


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
