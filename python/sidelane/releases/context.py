"""The context of a call: the connection of its client, and the objects that are created from it once.

A Connection has the user's settings, and creates the Helm and the target from them. A Context adds the receiver of
progress, and finds and renders charts. Releases, routes, lanes and graphs receive only a Context from a client.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.references import is_remote
from sidelane.charts.rendering import Renderer
from sidelane.errors import ChartNotFound, InvalidInput, SidelaneError
from sidelane.helm.client import Helm
from sidelane.naming.subject import kind
from sidelane.support.advice import Place

if TYPE_CHECKING:
    from sidelane.releases.stores import Target

#: A function that receives each step, as one short line.
Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """Ignores progress."""


@dataclass(frozen=True)
class Connection:
    """The settings of a client; see AsyncClient. None leaves a setting to Helm."""

    namespace: str | None = None
    directory: str | os.PathLike[str] | None = None
    allow_secrets: bool = False
    kubeconfig: str | os.PathLike[str] | None = None
    kube_context: str | None = None
    kube_apiserver: str | None = None
    kube_token: str | None = field(default=None, repr=False)
    executable: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if self.directory is not None and not os.fspath(self.directory):
            raise InvalidInput("the directory's name is empty", remedy="name one, such as ./releases")

    @functools.cached_property
    def helm(self) -> Helm:
        """The Helm of this connection. Raises HelmNotFound."""
        return Helm(
            executable=self.executable,
            kubeconfig=self.kubeconfig,
            kube_context=self.kube_context,
            kube_apiserver=self.kube_apiserver,
            kube_token=self.kube_token,
        )

    @functools.cached_property
    def target(self) -> Target:
        """The cluster, or the directory, that holds the releases. Raises HelmNotFound, InvalidName."""
        if self.directory is None:
            from sidelane.releases.stores.cluster import ClusterTarget  # noqa: PLC0415 - rendering does not need it

            return ClusterTarget(self.helm, self.namespace or None)
        from sidelane.releases.stores.directory import DirectoryTarget  # noqa: PLC0415 - a cluster does not need it

        # On a cluster, None leaves the namespace to Helm; a directory needs a name.
        return DirectoryTarget(Path(self.directory), self.namespace or "default", allow_secrets=self.allow_secrets)

    @property
    def place(self) -> Place:
        """The settings that commands in remedies need."""
        return Place.of(vars(self))


@dataclass(frozen=True)
class Context:
    """The context of a call. progress: called with each step."""

    connection: Connection
    progress: Progress = quiet

    @property
    def helm(self) -> Helm:
        return self.connection.helm

    @property
    def target(self) -> Target:
        return self.connection.target

    @property
    def namespace(self) -> str | None:
        """The namespace of the call; None for Helm's own choice."""
        return self.connection.namespace or ("default" if self.is_directory else None)

    @property
    def is_directory(self) -> bool:
        return self.connection.directory is not None

    def telling(self, progress: Progress) -> Context:
        """Returns this context with another receiver of progress."""
        return dataclasses.replace(self, progress=progress)

    def in_namespace(self, namespace: str | None) -> Context:
        """Returns this context in another namespace; for None, itself."""
        if namespace in (None, self.connection.namespace):
            return self
        return dataclasses.replace(self, connection=dataclasses.replace(self.connection, namespace=namespace))

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Adds the connection's flags to the commands in remedies of the block's errors."""
        try:
            yield
        except SidelaneError as error:
            error.complete(self.connection.place)
            raise

    def renderer(self, chart: Chart) -> Renderer:
        """Returns the renderer for installing a chart, which may read the cluster."""
        cluster = not self.is_directory
        return Renderer(
            self.helm,
            self.namespace,
            server=cluster and chart.asks_the_cluster,
            upgrades=cluster,
            needs="sidelane.checks.engine",
        )

    @asynccontextmanager
    async def installable(
        self,
        reference: str | os.PathLike[str],
        version: str | None = None,
        repo: str | None = None,
        wanted: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Chart]:
        """Finds a chart, with the conventions that an installation holds it to.

        wanted: the arguments of checking.Wanted. Raises as ``chart`` and ``checking.hold`` do.
        """
        async with self.chart(reference, version, repo) as chart:
            if not any((wanted or {}).values()) and sources.is_bundled(chart):
                yield chart
                return
            from sidelane.releases import checking  # noqa: PLC0415 - the charts of Sidelane do not need it

            fetched = repo is not None or is_remote(os.fspath(reference))
            yield checking.hold(chart, checking.Wanted(**(wanted or {}), fetched=fetched))

    @asynccontextmanager
    async def chart(
        self, reference: str | os.PathLike[str], version: str | None = None, repo: str | None = None
    ) -> AsyncIterator[Chart]:
        """Finds a chart. A fetched chart exists only during the block. Raises ChartNotFound."""
        if not isinstance(reference, str | os.PathLike):
            raise ChartNotFound(
                f"a chart must be a name or a path, not {kind(reference)}", remedy="see `sidelane charts` for the names"
            )
        text = os.fspath(reference)
        if repo is None and not is_remote(text):
            yield sources.find(text, version=version)
            return
        self.progress(f"fetching {text}")
        import tempfile  # noqa: PLC0415 - only for a chart that is fetched

        with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
            await self.helm.fetch(text, Path(folder), repo=repo, version=version)
            chart_file = next(Path(folder).glob("*/Chart.yaml"), None)
            if chart_file is None:
                raise ChartNotFound(f"the download for {text!r} has no chart", remedy="check the reference")
            yield Chart.load(chart_file.parent)
