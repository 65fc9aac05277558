"""AsyncClient: the only implementation of the SDK's verbs.

The examples use Client; with AsyncClient, await each verb.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from sidelane.charts.references import is_manifest, is_remote
from sidelane.charts.rendering import SERVED, PlainRendering, Renderer, Rendering
from sidelane.charts.values import accepted, with_service
from sidelane.client.asynchronous_routes import AsyncRoutes
from sidelane.client.asynchronous_shifts import AsyncShifts
from sidelane.client.faces import advising, path_of
from sidelane.errors import InvalidInput, ReleaseNotFound
from sidelane.naming.lane import Lane
from sidelane.naming.subject import lane_in, lane_of, release_of, subject
from sidelane.releases.context import Connection, Context, Progress, quiet
from sidelane.releases.stores import Options, Release

if TYPE_CHECKING:
    from sidelane.checks.findings import Checks, Report
    from sidelane.graph.model import Graph
    from sidelane.lanes.bundle.archives import Bundle
    from sidelane.lanes.bundle.replaying import Replayed
    from sidelane.lanes.deployment import Applied, Plan
    from sidelane.lanes.diff import Comparison
    from sidelane.lanes.lane_status import LaneStatus
    from sidelane.lanes.retire import Retirement
    from sidelane.releases.guarding import Guarding
    from sidelane.releases.provenance import Record
    from sidelane.releases.readiness import Readiness
    from sidelane.releases.repair import Repair
    from sidelane.releases.verification import Verification


@advising
class AsyncClient:
    """Installs, upgrades, lists and removes releases on a cluster, or in a directory of manifests.

    A lane is given as a Lane or as its text, ``2-coco-1``. A verb that takes a lane or a release takes either as its
    first argument; a release is given by its own name, or by its chart's name and ``lane``.

    Args:
        namespace: None for Helm's own choice.
        directory: write manifests there and use no cluster.
        allow_secrets: write rendered Secrets into the directory, and secret values into a bundle, too.
        kubeconfig: the path of the kubeconfig file; None leaves it to Helm.
        kube_context: the kubeconfig's context to use; None leaves it to Helm.
        kube_apiserver: the address of the API server; None leaves it to Helm.
        kube_token: a bearer token, which appears in no log and no argument list; None leaves it to Helm.
        helm: the helm to use instead of the one on PATH.
        progress: called with each step, one short line at a time.

    Example:
        >>> Client(directory="releases", namespace="streams").list()
        ()

    """

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
        progress: Progress = quiet,
    ) -> None:
        connection = Connection(
            namespace, directory, allow_secrets, kubeconfig, kube_context, kube_apiserver, kube_token, helm
        )
        self._context = Context(connection, progress)

    @property
    def routes(self) -> AsyncRoutes:
        """The routes of the namespace, and the verbs that change them."""
        return AsyncRoutes(self._context)

    @property
    def shifts(self) -> AsyncShifts:
        """The shifts of many routes in lockstep."""
        return AsyncShifts(self._context)

    async def install(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        conventions: str | os.PathLike[str] | None = None,
        version_key: str | None = None,
        build_key: str | None = None,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
        create_namespace: bool = False,
        require_guard: bool = False,
    ) -> Release:
        """Creates the lane's release of a chart. An existing release with the same content stays unchanged.

        Args:
            chart: a bundled chart's name, a folder, a .tgz, ``repo/chart`` or ``oci://…``.
            lane: the lane.
            name: the service's name, for charts of services, whose releases are named ``svc1-v1-coco-1``.
            service_version: the service's version, for charts of services.
            conventions: a conventions file, or the name of a preset, such as ``helm`` for a chart without lanes; for
                charts that are not Sidelane's. By default the ``sidelane.yaml`` in the chart, or else the nearest one
                above in its git repository, or else the naming contract.
            version_key: the key of the value that takes the Version in a chart without one, such as ``image.tag``.
            build_key: the same for the Build.
            values: in the form of a values file.
            version: the chart's version, or a constraint on it.
            repo: the URL of the chart repository that holds the chart.
            wait: return when everything is ready.
            timeout: Helm's time limit for each step, such as ``5m``.
            rollback_on_failure: remove the release if it fails; implies wait.
            create_namespace: create the namespace if it is missing.
            require_guard: refuse a namespace in which the policies of the chart guard do not refuse changes.

        Returns:
            The release. ``change`` is created, unchanged, or finished for one that was left incomplete.

        Raises:
            InvalidLane, InvalidName, InvalidValues, ChartNotFound: an argument is invalid.
            Refused: with require_guard, the namespace is not guarded.
            CheckFailed: the rendered objects break the conventions.
            ReleaseConflict: the release exists with other content; ``differences`` has the fields.
            HelmError: Helm or the cluster failed, or the release did not become ready.

        Example:
            >>> client.install("zookeeper", "coco-1", values={"replicas": 5}).change
            'created'

        """
        from sidelane.releases import installing  # noqa: PLC0415 - rendering and reading do not need it

        options = Options(wait, timeout, rollback_on_failure, create_namespace)
        if require_guard:
            from sidelane.releases import guarding  # noqa: PLC0415 - few need it

            await guarding.require(self._context)
        wanted = {"given": conventions, "version_key": version_key, "build_key": build_key}
        async with self._context.installable(chart, version, repo, wanted) as loaded:
            given = with_service(values or {}, loaded, name=name, service_version=service_version)
            return await installing.install(self._context, loaded, lane_of(lane), given, options=options)

    async def upgrade(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        conventions: str | os.PathLike[str] | None = None,
        version_key: str | None = None,
        build_key: str | None = None,
        values: Mapping[str, Any] | None = None,
        reuse_values: bool = False,
        version: str | None = None,
        repo: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
    ) -> Release:
        """Changes a release's operational values (those that its chart declares), and nothing else.

        Args:
            chart: as in ``install``.
            lane: as in ``install``.
            name: as in ``install``.
            service_version: as in ``install``.
            conventions: as in ``install``; without any, those in the release's record.
            version_key: as in ``install``.
            build_key: as in ``install``.
            version: as in ``install``.
            repo: as in ``install``.
            values: replace all earlier values, as with `helm upgrade`.
            reuse_values: merge the values over those of the release instead.
            wait: as in ``install``.
            timeout: as in ``install``.
            rollback_on_failure: return to the previous revision if it fails; implies wait.

        Returns:
            The release. ``change`` is upgraded or unchanged; ``changes`` has the fields that changed.

        Raises:
            ReleaseNotFound: there is no such release.
            ReleaseConflict: a value or field that is not operational would change.
            NotOurs: Sidelane did not create the release.
            HelmError, InvalidValues, ChartNotFound: as in ``install``.

        Example:
            >>> client.upgrade("supervisor", "2-coco-1", values={"replicas": 3}, reuse_values=True).change
            'upgraded'

        """
        from sidelane.releases import installing  # noqa: PLC0415 - rendering and reading do not need it

        options = Options(wait, timeout, rollback_on_failure)
        wanted = {"given": conventions, "version_key": version_key, "build_key": build_key}
        async with self._context.installable(chart, version, repo, wanted) as loaded:
            given = with_service(values or {}, loaded, name=name, service_version=service_version)
            return await installing.upgrade(
                self._context, loaded, lane_of(lane), given, reuse_values=reuse_values, options=options
            )

    async def list(self, lane: Lane | str | None = None, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Returns the releases of the namespace, in every state.

        Args:
            lane: return those of this lane, with its routes.
            all_namespaces: list the releases of every namespace.

        Returns:
            The releases, sorted by namespace and name.

        Raises:
            HelmError: Helm or the cluster failed.

        Example:
            >>> [release.name for release in client.list("2-coco-1")]
            ['supervisor-2-coco-1', 'svc1-v1-2-coco-1', 'svc1-v2-2-coco-1', 'zookeeper-2-coco-1']

        """
        wanted = None if lane is None else lane_of(lane)
        releases = await self._context.target.releases(all_namespaces=all_namespaces)
        if wanted is None or all_namespaces:
            return tuple(release for release in releases if wanted is None or release.lane == wanted)
        from sidelane.releases.stores import ours  # noqa: PLC0415 - few need it

        return tuple(await ours.of_lane(self._context.target, wanted, releases))

    async def where(self) -> str:
        """Returns the client's namespace and directory in words.

        Returns:
            A text such as ``namespace streams``. Asks Helm if the namespace is Helm's choice.

        Raises:
            HelmError: Helm failed.

        Example:
            >>> client.where()
            "namespace default of the directory 'releases'"

        """
        return await self._context.target.where()

    @overload
    async def status(self, what: str, lane: Lane | str | None = None) -> Release: ...
    @overload
    async def status(self, what: Lane) -> LaneStatus: ...
    @overload
    async def status(self, *, lane: Lane | str) -> LaneStatus: ...
    async def status(self, what: Lane | str | None = None, lane: Lane | str | None = None) -> Release | LaneStatus:
        """Returns a release with the present state of its objects, or a lane with all of its releases.

        Args:
            what: a Lane, or the name of a release. A lane's text is given as ``lane``.
            lane: the lane of a chart's name, or the lane.

        Returns:
            The release, or the lane's status. ``readiness`` has each pod that is not ready, with the reason; it is
            None in a directory, where nothing runs.

        Raises:
            ReleaseNotFound: there is no such release, or the lane has none.
            InvalidName, InvalidLane, InvalidInput: an argument is invalid.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.status("zookeeper-2-coco-1").status
            'deployed'
            >>> len(client.status(Lane("2-coco", 1)).releases)
            4

        """
        which = _release_or_lane(what, lane)
        if isinstance(which, str):
            return await self._context.target.status(which)
        from sidelane.lanes import lane_status  # noqa: PLC0415 - other verbs do not need it

        return await lane_status.status(self._context.target, which)

    async def wait(
        self, what: Lane | str | None = None, lane: Lane | str | None = None, *, timeout: str | None = None
    ) -> Readiness:
        """Waits until a release, or every release of a lane, is ready. Changes nothing.

        Args:
            what: a lane, or the name of a release.
            lane: the lane of a chart's name.
            timeout: the longest wait, such as ``5m``, the default.

        Returns:
            The readiness.

        Raises:
            TimedOut, NotReady: not ready in time, or cannot become ready; ``readiness`` has each pod that is not ready.
            ReleaseNotFound: there is no such release, or the lane has none.
            Refused: in a directory, where nothing runs.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.wait("2-coco-1", timeout="10m").counted  # doctest: +SKIP
            '12 of 12 ready'

        """
        from sidelane.lanes import lane_status  # noqa: PLC0415 - other verbs do not need it

        return await lane_status.wait(self._context, subject(what, lane), timeout)

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
        """Removes one release, even if others need it. The claims of its stateful sets stay.

        Args:
            name: the name of the release, or of its chart.
            lane: the lane of a chart's name.
            wait: return when all its objects are gone.
            timeout: Helm's time limit, such as ``5m``.
            foreign: remove it although Sidelane did not create it.
            delete_cluster_objects: remove objects outside the namespace too.

        Returns:
            The removed release.

        Raises:
            ReleaseNotFound: there is no such release.
            NotOurs: Sidelane did not create it.
            StillHeld: objects outside the namespace would be deleted with it.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.uninstall("svc1-v1-2-coco-1").change
            'uninstalled'

        """
        from sidelane.lanes import retire  # noqa: PLC0415 - other verbs do not need it

        options = Options(wait=wait, timeout=timeout, progress=self._context.progress)
        release = release_of(name, lane)
        allowed = retire.Allowed(frozenset({release} if foreign else ()), delete_cluster_objects)
        return await retire.uninstall(self._context.target, release, options, allowed=allowed)

    async def render(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str,
        *,
        name: str | None = None,
        service_version: str | None = None,
        conventions: str | os.PathLike[str] | None = None,
        version_key: str | None = None,
        build_key: str | None = None,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> str:
        """Renders a chart in a lane, as `helm template` does, without a cluster and without checks.

        Args:
            chart: as in ``install``.
            lane: as in ``install``.
            name: as in ``install``.
            service_version: as in ``install``.
            conventions: as in ``install``.
            version_key: as in ``install``.
            build_key: as in ``install``.
            values: as in ``install``.
            version: as in ``install``.
            repo: as in ``install``.
            kube_version: the version of Kubernetes to render for.
            api_versions: the APIs of the cluster to render for.

        Returns:
            The manifest.

        Raises:
            InvalidLane, InvalidName, InvalidValues, ChartNotFound: an argument is invalid.
            HelmError: Helm failed.

        Example:
            >>> client.render("zookeeper", "coco-1").startswith("---")
            True

        """
        wanted = {"given": conventions, "version_key": version_key, "build_key": build_key}
        async with self._context.installable(chart, version, repo, wanted) as loaded:
            renderer = Renderer(self._context.helm, self._context.namespace, kube_version, api_versions)
            given = with_service(values or {}, loaded, name=name, service_version=service_version)
            own = lane_of(lane)
            return (await renderer.render(loaded, own, accepted(given, own, loaded))).text

    async def check(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str | None = None,
        *,
        name: str | None = None,
        service_version: str | None = None,
        whole: bool = False,
        conventions: str | os.PathLike[str] | None = None,
        version_key: str | None = None,
        build_key: str | None = None,
        installation: bool = False,
        kubernetes_versions: str | None = None,
        schemas: Sequence[str | os.PathLike[str]] = (),
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> tuple[Rendering | PlainRendering, Report]:
        """Renders a chart, and checks it against its conventions, without a cluster.

        Args:
            chart: as in ``install``.
            lane: as in ``install``; None for a chart without Version and Build, which is rendered as a release.
            name: as in ``install``.
            service_version: as in ``install``.
            values: as in ``install``.
            version: as in ``install``.
            repo: as in ``install``.
            whole: treat the chart as the complete lane: every object that it references in the lane must be present.
            conventions: a conventions file, or the name of a preset; by default the nearest ``sidelane.yaml`` in the
                chart's folder or one above, or else the preset ``sidelane``.
            version_key: the key of the value that takes the Version in a chart without one, such as ``image.tag``.
            build_key: the same for the Build.
            installation: check as ``install`` does, which finds fewer files.
            kubernetes_versions: validate by the schemas of these versions of Kubernetes, such as ``1.30-1.36``; needs
                ``sidelane[kubernetes]``.
            schemas: folders with definitions or JSON schemas of custom resources, by which to validate.
            kube_version: as in ``render``.
            api_versions: as in ``render``.

        Returns:
            The rendering, in a lane a ``Rendering``, and the report with its findings.

        Raises:
            InvalidLane, InvalidName, InvalidValues, ChartNotFound: an argument is invalid.
            InvalidConventions: the conventions file is invalid.
            InvalidManifest: the chart does not render YAML of Kubernetes objects.
            HelmError: Helm failed.

        Example:
            >>> rendering, report = client.check("zookeeper", "coco-1")
            >>> report.clean
            True

        """
        from sidelane.releases import checking  # noqa: PLC0415 - see installing.py

        async with self._context.chart(chart, version, repo) as loaded:
            fetched = repo is not None or is_remote(os.fspath(chart))
            wanted = checking.Wanted(
                conventions, version_key, build_key, installation, fetched, kubernetes_versions, tuple(schemas)
            )
            apis = (*SERVED, *api_versions)
            renderer = Renderer(self._context.helm, self._context.namespace, kube_version, apis)
            renderer = renderer._replace(needs="sidelane.checks.engine")
            given = with_service(values or {}, loaded, name=name, service_version=service_version)
            own = None if lane is None else lane_of(lane)
            return await checking.check_chart(renderer, loaded, own, given, wanted, whole=whole)

    async def check_all(
        self,
        /,
        charts: Sequence[str | os.PathLike[str]],
        lane: Lane | str | None = None,
        *,
        every_file: bool | None = None,
        since: str | None = None,
        side_by_side: bool = False,
        parallel: int | None = None,
        **how: Any,
    ) -> Checks:
        """Checks many charts and manifests, some at a time: charts as ``check`` does, or as ``side_by_side`` does.

        Args:
            charts: charts as in ``install``; folders of charts, which stand for all of their charts but libraries; and
                manifests, files whose name ends in .yaml, .yml or .json.
            lane: as in ``check``; for a values file that names a lane itself, that one.
            every_file: check each chart with each of its ``ci/*-values.yaml``, or its defaults without any; None: do
                so for the charts of folders of charts alone.
            since: leave out what did not change since the branch left this git revision: the files of the chart, those
                of its dependencies in other folders, and its conventions file.
            side_by_side: prove that two releases of each chart touch nowhere.
            parallel: the number of charts at a time; one for each processor by default.
            how: more arguments of ``check`` or ``side_by_side``. ``values`` override those of the values files.

        Returns:
            One report, with equal findings once; the charts' folders; and the charts that could not be checked, with
            their errors, which do not stop the others.

        Raises:
            InvalidInput: ``since`` is not a revision, or there is no git repository.

        Example:
            >>> client.check_all(["zookeeper", "nimbus"], "coco-1").report.clean
            True

        """
        from sidelane.releases import changed, checking_many  # noqa: PLC0415 - see installing.py

        cases = list(checking_many.cases(charts, every_file=every_file))
        if since is not None:
            different = await changed.since(since)
            left = {chart for chart in {case.chart for case in cases} if different.concerns(chart)}
            cases = [case for case in cases if case.chart in left]

        async def check(case: checking_many.Case) -> tuple[dict[str, Path], Report]:
            if is_manifest(case.chart):
                return {}, self._check_manifest(case.chart, lane, **how)
            named, values = case.values(lane, how.get("values") or {})
            if side_by_side:
                return {}, await self.side_by_side(case.chart, named, **{**how, "values": values})
            rendering, report = await self.check(case.chart, named, **{**how, "values": values})
            return {rendering.chart.name: rendering.chart.path}, report

        return await checking_many.check_cases(cases, check, parallel or os.cpu_count() or 1)

    def _check_manifest(self, file: str, lane: Lane | str | None, **how: Any) -> Report:
        from sidelane.releases import checking, checking_many  # noqa: PLC0415 - see installing.py

        schemas = tuple(how.get("schemas") or ())
        wanted = checking.Wanted(
            how.get("conventions"), kubernetes_versions=how.get("kubernetes_versions"), schemas=schemas
        )
        own = None if lane is None else lane_of(lane)
        return checking_many.check_manifest(file, own, self._context.namespace, wanted, whole=bool(how.get("whole")))

    async def check_deployed(
        self,
        *releases: str,
        lane: Lane | str | None = None,
        whole: bool = False,
        conventions: str | os.PathLike[str] | None = None,
        kubernetes_versions: str | None = None,
        schemas: Sequence[str | os.PathLike[str]] = (),
    ) -> Report:
        """Checks what is deployed, on the cluster or in the directory: the manifests of releases, as Helm stores them.

        Args:
            releases: the names of releases; none for all of the lane, or of the namespace.
            lane: check the releases of this lane, with its routes.
            whole: as in ``check``, for the releases of a lane.
            conventions: as in ``check``; by default those in each release's record, or else the nearest
                ``sidelane.yaml`` in the working folder or one above.
            kubernetes_versions: as in ``check``.
            schemas: as in ``check``.

        Returns:
            The report.

        Raises:
            ReleaseNotFound: there is no such release, or none in the lane or the namespace.
            InvalidInput: both releases and a lane are given.
            InvalidConventions: the conventions file is invalid.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.check_deployed(lane="2-coco-1").clean
            True

        """
        from sidelane.releases import checking, checking_many  # noqa: PLC0415 - see installing.py

        if releases and lane is not None:
            raise InvalidInput("releases and a lane are both given", remedy="give one of them")
        names = list(releases) or [release.name for release in await self.list(lane)]
        if not names:
            problem = f"the lane {lane} has no release" if lane is not None else "there is no release"
            raise ReleaseNotFound(f"{problem} in {await self.where()}", remedy="see `sidelane list -A`")
        stored = await self._context.target.stored_all(names)
        wanted = checking.Wanted(conventions, kubernetes_versions=kubernetes_versions, schemas=tuple(schemas))
        return checking_many.check_stored(stored, wanted, whole=whole)

    async def side_by_side(
        self,
        chart: str | os.PathLike[str],
        lane: Lane | str | None = None,
        *,
        name: str | None = None,
        service_version: str | None = None,
        conventions: str | os.PathLike[str] | None = None,
        version_key: str | None = None,
        build_key: str | None = None,
        values: Mapping[str, Any] | None = None,
        vary: Mapping[str, tuple[object, object]] | None = None,
        version: str | None = None,
        repo: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> Report:
        """Proves that two releases of a chart touch nowhere: renders it as two lanes, and compares, without a cluster.

        A chart with Version and Build is rendered as two Builds and as two Versions, and for a service as two service
        versions. Any other chart is rendered as two releases in one namespace, and as one release in two namespaces.

        Args:
            chart: as in ``install``; any chart.
            lane: the lane of the first release; None for the one in the values, or coco-1.
            name: as in ``install``.
            service_version: as in ``install``.
            conventions: as in ``check``; their severities, exceptions and left-out objects apply.
            version_key: as in ``check``.
            build_key: as in ``check``.
            values: as in ``install``.
            vary: values that also differ, by path: the first release's and the second's.
            version: as in ``install``.
            repo: as in ``install``.
            kube_version: as in ``render``.
            api_versions: as in ``render``.

        Returns:
            The report. Each finding has both places: its own and ``other``.

        Raises:
            InvalidLane, InvalidName, InvalidValues, ChartNotFound: an argument is invalid.
            InvalidManifest: the chart does not render YAML of Kubernetes objects.
            HelmError: Helm failed.

        Example:
            >>> client.side_by_side("zookeeper", vary={"image.tag": ("3.9.4", "3.9.5")}).clean
            True

        """
        from sidelane.charts import pairs  # noqa: PLC0415 - other verbs do not need it
        from sidelane.releases import checking  # noqa: PLC0415 - see installing.py

        fetched = repo is not None or is_remote(os.fspath(chart))
        wanted = checking.Wanted(conventions, version_key, build_key, fetched=fetched)
        async with self._context.chart(chart, version, repo) as opened:
            apis = (*SERVED, *api_versions)
            renderer = Renderer(self._context.helm, self._context.namespace, kube_version, apis)
            renderer = renderer._replace(needs="sidelane.checks.side_by_side.proving")
            held, loaded = checking.for_check(opened, wanted)
            given = with_service(values or {}, loaded, name=name, service_version=service_version)
            rendered = await pairs.render(renderer, loaded, None if lane is None else lane_of(lane), given, vary or {})
        from sidelane.checks.side_by_side.proving import Pair, report  # noqa: PLC0415 - see installing.py

        return report([Pair(*pair) for pair in rendered], held)

    async def plan(
        self,
        file: str | os.PathLike[str],
        *,
        namespace: str | None = None,
        version: str | None = None,
        build: str | int | None = None,
        parallel: int | None = None,
        reset_operational: bool = False,
    ) -> Plan:
        """Returns the changes that a deployment file would make, without making them.

        Args:
            file: the deployment file.
            namespace: replaces the file's namespace. The client's own namespace is for files that name none.
            version: replaces the file's Version.
            build: replaces the file's Build.
            parallel: the number of releases at a time; two for each processor by default.
            reset_operational: reset operational values that are not in the file to the chart's defaults; without it
                they stay as deployed.

        Returns:
            The plan: a step for each release and route, also for refused ones.

        Raises:
            InvalidDeployment: the file is not a valid deployment file; ``errors`` has every mistake.
            CheckFailed, InvalidValues, ChartNotFound, HelmError: as in ``install``.

        Example:
            >>> [(step.release, step.action) for step in client.plan("lane.yaml").steps]
            [('zookeeper-coco-1', 'create')]

        """
        from sidelane.lanes import deployment  # noqa: PLC0415 - other verbs do not need it

        wanted = deployment.read(path_of(file), namespace=namespace, version=version, build=build)
        return await deployment.plan(self._context, wanted, parallel=parallel, reset=reset_operational)

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
        require_guard: bool = False,
        reset_operational: bool = False,
    ) -> Applied:
        """Applies a deployment file to its lane: independent releases in parallel, needed releases first.

        A second run changes nothing. The next run continues an interrupted one, whatever interrupted it.

        Args:
            file: as in ``plan``.
            namespace: as in ``plan``.
            version: as in ``plan``.
            build: as in ``plan``.
            parallel: as in ``plan``.
            reset_operational: as in ``plan``.
            wait: as in ``install``.
            timeout: as in ``install``.
            create_namespace: as in ``install``.
            require_guard: as in ``install``.
            atomic: if a release fails, remove everything that this run created, and nothing else.

        Returns:
            Each release and route with its ``change``.

        Raises:
            ReleaseConflict: a step is refused; nothing was changed.
            Refused: as in ``install``; nothing was changed.
            ApplyFailed: a release failed; ``errors`` has each release's own error.
            InvalidDeployment, CheckFailed, InvalidValues, ChartNotFound, HelmError: as in ``plan``.

        Example:
            >>> [(release.name, release.change) for release in client.apply("lane.yaml").releases]
            [('zookeeper-coco-1', 'created')]

        """
        from sidelane.lanes import deployment  # noqa: PLC0415 - other verbs do not need it

        wanted = deployment.read(path_of(file), namespace=namespace, version=version, build=build)
        options = Options(wait, timeout, create_namespace=create_namespace)
        return await deployment.apply(
            self._context,
            wanted,
            options=options,
            parallel=parallel,
            atomic=atomic,
            reset=reset_operational,
            require_guard=require_guard,
        )

    async def retire(
        self,
        what: Lane | str | None = None,
        lane: Lane | str | None = None,
        *,
        min_age: str = "0s",
        drain: str = "30s",
        connections: Sequence[str] = (),
        delete_claims: bool = False,
        timeout: str | None = None,
        foreign: Collection[str] = (),
        delete_cluster_objects: bool = False,
        dry_run: bool = False,
    ) -> Retirement:
        """Removes a lane, or one release of it, when nothing needs it.

        Args:
            what: a lane, or the name of a release.
            lane: the lane of a chart's name.
            min_age: the least time since its last change, such as ``24h``.
            drain: the time to wait after traffic has moved away, such as ``30s``; with ``connections``, at most.
            connections: sources that count the open connections, so that the wait ends when there are none:
                ``envoy http://127.0.0.1:9901`` or ``command ./connections``; see lanes/retire/connections.py. The
                counts are added up. While one can't be read, the number is unknown, and the whole time is waited for.
            delete_claims: delete the volume claims of its stateful sets too.
            timeout: Helm's time limit for each release, such as ``5m``.
            foreign: names of releases to remove although Sidelane did not create them; without it they stay.
            delete_cluster_objects: remove objects outside the namespace too.
            dry_run: return the plan without making it.

        Returns:
            The removed releases and claims, or with dry_run those to remove. ``held`` has the reasons against it,
            ``drained`` the end of the wait for open connections, if they were counted.

        Raises:
            StillHeld: a route leads there, another release needs it, it is too young, or another process works on it.
            ReleaseNotFound: there is nothing to remove.
            NotOurs: Sidelane created none of its releases.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.retire("2-coco-1", dry_run=True).held
            ()
            >>> client.retire("svc1-v1-2-coco-1").releases
            ('svc1-v1-2-coco-1',)

        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - other verbs do not need it
        from sidelane.lanes import retire  # noqa: PLC0415

        which = subject(what, lane)
        own, release = (which, None) if isinstance(which, Lane) else (lane_in(which), which)
        allowed = retire.Allowed(frozenset(foreign), delete_cluster_objects)
        wait = retire.Drain(seconds(drain), retire.parsed(connections))
        if dry_run:
            return await retire.look(
                self._context.target,
                own,
                release=release,
                min_age=min_age,
                delete_claims=delete_claims,
                allowed=allowed,
            )
        return await retire.retire(
            self._context,
            own,
            release=release,
            min_age=min_age,
            drain=wait,
            delete_claims=delete_claims,
            timeout=timeout,
            allowed=allowed,
        )

    async def outdated(
        self,
        keep: int,
        *,
        version: str | None = None,
        min_age: str = "0s",
        foreign: Collection[str] = (),
        delete_cluster_objects: bool = False,
    ) -> tuple[Retirement, ...]:
        """Returns all lanes but the youngest of each Version, as `sidelane retire --keep` does. Changes nothing.

        Args:
            keep: the number of lanes of each Version to keep.
            version: consider only the lanes of this Version.
            min_age: as in ``retire``.
            foreign: as in ``retire``.
            delete_cluster_objects: as in ``retire``.

        Returns:
            A retirement for each lane, oldest first. ``held`` has the reasons against it.

        Raises:
            InvalidInput: keep is negative.
            HelmError: Helm or the cluster failed.

        Example:
            >>> [str(each.lane) for each in client.outdated(0, version="2-coco")]
            ['2-coco-1']

        """
        from sidelane.lanes import retire  # noqa: PLC0415 - other verbs do not need it

        allowed = retire.Allowed(frozenset(foreign), delete_cluster_objects)
        return await retire.propose(self._context.target, keep, version=version, min_age=min_age, allowed=allowed)

    @overload
    async def record(self, what: str, lane: Lane | str | None = None) -> Record: ...
    @overload
    async def record(self, what: Lane) -> tuple[Record, ...]: ...
    @overload
    async def record(self, *, lane: Lane | str) -> tuple[Record, ...]: ...
    async def record(
        self, what: Lane | str | None = None, lane: Lane | str | None = None
    ) -> Record | tuple[Record, ...]:
        """Returns the record of a release, an in-toto Statement with its origin; or the records of a lane.

        Args:
            what: a Lane, or the name of a release. A lane's text is given as ``lane``.
            lane: the lane of a chart's name, or the lane.

        Returns:
            The record; for a lane those of its releases that have one. Routes, and releases of plain Helm, have none.

        Raises:
            ReleaseNotFound: there is no such release, or it has no record.
            InvalidName, InvalidLane, InvalidInput: an argument is invalid.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.record("zookeeper-2-coco-1").chart
            'zookeeper'
            >>> len(client.record(lane="2-coco-1"))
            4

        """
        from sidelane.releases import recorded  # noqa: PLC0415 - other verbs do not need it

        which = _release_or_lane(what, lane)
        if isinstance(which, str):
            return await recorded.of_release(self._context.target, which)
        return await recorded.of_lane(self._context.target, which)

    async def guard_status(self, *, all_namespaces: bool = False) -> tuple[Guarding, ...]:
        """Returns what the policies of the chart guard enforce in the namespace, and the reasons for what they do not.

        Args:
            all_namespaces: of each namespace of the cluster.

        Returns:
            One value for each namespace, sorted by name. ``enforced`` is True if all policies refuse changes.

        Raises:
            InvalidInput: the client has a directory, which no policy guards.
            HelmError: Helm or the cluster failed.

        Example:
            >>> [each.mode for each in client.guard_status()]  # doctest: +SKIP
            ['none']

        """
        from sidelane.releases import guarding  # noqa: PLC0415 - few need it

        return await guarding.status(self._context, all_namespaces=all_namespaces)

    async def guard_role(
        self,
        verb: str,
        what: str | os.PathLike[str] = "",
        lane: Lane | str | None = None,
        *,
        name: str | None = None,
        service_version: str | None = None,
        values: Mapping[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
    ) -> dict[str, object]:
        """Returns a Role with the least rights that a verb needs, in the namespace.

        Args:
            verb: a verb of the command line, with a hyphen for a space: ``apply``, ``route-set``.
            what: a chart, as in ``install``, a deployment file (.yaml), or a bundle (.tar.gz). A verb that only reads
                Helm's releases needs none, and for a verb of routes it is the chart ``route``.
            lane: the lane of a chart.
            name: as in ``install``.
            service_version: as in ``install``.
            values: as in ``install``.
            version: as in ``install``.
            repo: as in ``install``.

        Returns:
            The Role, as Kubernetes has it; for ``guard-status`` a ClusterRole.

        Raises:
            InvalidInput: the verb is unknown, or ``what`` or the lane is missing.
            InvalidLane, InvalidName, InvalidValues, ChartNotFound, InvalidDeployment: an argument is invalid.
            HelmError: Helm failed.

        Example:
            >>> client.guard_role("list")["rules"]
            [{'apiGroups': [''], 'resources': ['secrets'], 'verbs': ['list']}]

        """
        from sidelane.lanes import roles  # noqa: PLC0415 - few need it

        own = lane if lane is None else lane_of(lane)
        subject = roles.Subject(what, own, values or {}, name, service_version, version, repo)
        return await roles.role(self._context, verb, subject)

    async def verify(self, what: Lane | str | None = None, lane: Lane | str | None = None) -> tuple[Verification, ...]:
        """Compares a release, or every release of a lane, with its record and with the cluster.

        It reports changed fields with their owners, missing objects, pods that differ from their workload's template,
        rollouts in progress, and objects of no release that have the lane's labels or affect the release. This reads
        all objects of the namespace, each kind once.

        Args:
            what: a lane, or the name of a release.
            lane: the lane of a chart's name.

        Returns:
            A verification for each release, sorted by name. ``state`` is unchanged if it has no problem.

        Raises:
            ReleaseNotFound: there is no such release, or the lane has none.
            InvalidName, InvalidLane, InvalidInput: an argument is invalid.
            HelmError: Helm or the cluster failed.

        Example:
            >>> {each.state for each in client.verify("2-coco-1")}
            {'unchanged'}

        """
        from sidelane.releases import verify  # noqa: PLC0415 - few need it

        which = subject(what, lane)
        names = await verify.names(self._context.target, which)
        return await verify.releases(self._context.target, names, whole=not isinstance(which, str))

    async def repair(
        self,
        what: Lane | str | None = None,
        lane: Lane | str | None = None,
        *,
        dry_run: bool = False,
        wait: bool = False,
        timeout: str | None = None,
    ) -> tuple[Repair, ...]:
        """Restores a release, or every release of a lane, exactly as deployed.

        It creates missing objects and resets drifted fields, whoever owns them. Operational replicas stay.

        Args:
            what: a lane, or the name of a release.
            lane: the lane of a chart's name.
            dry_run: return the plan without making it.
            wait: return when everything is ready.
            timeout: Helm's time limit for each release, such as ``5m``.

        Returns:
            A repair for each release, with the changes that were or would be made.

        Raises:
            Refused: a release was changed in Helm itself, or is in a directory; nothing was changed.
            NotOurs: Sidelane did not create a release that would be changed; nothing was changed.
            ReleaseNotFound: there is no such release, or the lane has none.
            HelmError: Helm or the cluster failed.

        Example:
            >>> [each.needed for each in client.repair("zookeeper-2-coco-1")]
            [False]

        """
        from sidelane.releases import repair, verify  # noqa: PLC0415 - few need it

        names = await verify.names(self._context.target, subject(what, lane))
        options = Options(wait, timeout, progress=self._context.progress)
        return await repair.releases(self._context, names, dry_run=dry_run, options=options)

    async def diff(self, a: str, b: str | None = None, *, namespace: str | None = None) -> Comparison:
        """Compares two lanes, releases or files, without the lane in the names.

        Args:
            a: a lane's text (``coco-1``), a release's own name, a deployment file (.yaml) or a bundle (.tar.gz).
            b: the same. Without it, a lane or a release is compared with the cluster.
            namespace: replaces the file's, also for a lane or release that is compared with the file. The client's own
                namespace is for files that name none.

        Returns:
            The comparison. ``same`` is True if there is no difference.

        Raises:
            InvalidName: a or b is not a lane, a release or a file.
            ReleaseNotFound: there is no such release, or the lane has none.
            InvalidDeployment, InvalidInput, HelmError: a file can't be read or rendered.

        Example:
            >>> client.diff("svc1-v1-2-coco-1", "svc1-v1-2-coco-1").same
            True

        """
        from sidelane.lanes.diff import diff  # noqa: PLC0415 - few need it

        path_of(a), path_of(a if b is None else b)
        return await diff(self._context, a, b, namespace=namespace)

    async def bundle(
        self, lane: Lane | str, file: str | os.PathLike[str], *, charts: Sequence[str | os.PathLike[str]] = ()
    ) -> Bundle:
        """Packs a lane into one .tar.gz file, from which it can be deployed again.

        The same content gives the same bytes.

        Args:
            lane: the lane.
            file: the file to write.
            charts: the lane's charts that are not Sidelane's.

        Returns:
            The bundle, with the digest of the file.

        Raises:
            ReleaseNotFound: the lane has no release.
            ChartNotFound: a chart is missing, or differs from the deployed one.
            Refused: a release has secrets, or no replay could reproduce its objects.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.bundle("2-coco-1", "lane.tar.gz").digest.startswith("sha256:")
            True

        """
        from sidelane.lanes.bundle import making  # noqa: PLC0415 - few need it

        return await making.bundle(self._context, lane_of(lane), Path(path_of(file)), charts=charts)

    async def replay(
        self,
        file: str | os.PathLike[str],
        *,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
        create_namespace: bool = False,
        require_guard: bool = False,
    ) -> Replayed:
        """Deploys a bundled lane again, with the same objects byte for byte.

        The target is the client's namespace, or else the bundle's.

        Args:
            file: the bundle.
            wait: as in ``install``.
            timeout: as in ``install``.
            rollback_on_failure: as in ``install``.
            create_namespace: as in ``install``.
            require_guard: as in ``install``.

        Returns:
            Each release, and the digest of its objects.

        Raises:
            Refused: a release would differ, or exists with other content, or the namespace is not guarded; nothing was
                installed.
            InvalidInput: the file is not a bundle.
            HelmError: Helm or the cluster failed.

        Example:
            >>> _ = client.bundle("2-coco-1", "lane.tar.gz")
            >>> {release.change for release in Client(directory="elsewhere").replay("lane.tar.gz").releases}
            {'created'}

        """
        from sidelane.lanes.bundle import replaying  # noqa: PLC0415 - few need it

        options = Options(wait, timeout, rollback_on_failure, create_namespace)
        return await replaying.replay(self._context, path_of(file), options=options, require_guard=require_guard)

    async def graph(self, lane: Lane | str | None = None) -> Graph:
        """Returns the lanes, releases and traffic of the namespace as a graph.

        Args:
            lane: draw only the parts of this lane.

        Returns:
            The graph. Its ``render`` returns text, Mermaid, SVG or a page.

        Raises:
            HelmError: Helm or the cluster failed.

        Example:
            >>> [str(group.lane) for group in client.graph().groups]
            ['2-coco-1', 'live-1']
            >>> "<svg" in client.graph().render("svg")
            True

        """
        from sidelane.graph.gather import gather  # noqa: PLC0415 - see installing.py

        return await gather(self._context, None if lane is None else lane_of(lane))


def _release_or_lane(what: Lane | str | None, lane: Lane | str | None) -> Lane | str:
    """Returns what ``subject`` does, for a verb whose result depends on it: text that is given first is a release."""
    return release_of(what, lane) if isinstance(what, str) else subject(what, lane)
