"""The context of a call: the connection that its client was made with, and what is made of it once and passed on.

A Connection is the user's settings, and the Helm and the target that they make. A Context adds whom to tell of
progress, and finds and renders charts. Releases, routes, lanes and graphs take a Context and nothing else of a client.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sidelane.charts import sources
from sidelane.charts.rendering import Renderer
from sidelane.charts.sources import Chart
from sidelane.errors import ChartNotFound, InvalidInput, SidelaneError
from sidelane.helm.client import Helm
from sidelane.naming.subject import kind
from sidelane.releases.stores import Target
from sidelane.releases.stores.cluster import ClusterTarget
from sidelane.support.advice import Place

#: Told what is being done, one short line at a time.
Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """The progress that is told to nobody."""


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
            return ClusterTarget(self.helm, self.namespace or None)
        from sidelane.releases.stores.directory import DirectoryTarget  # noqa: PLC0415 - a cluster needs none of it

        # On a cluster, no namespace is Helm's own choice; a directory has no such choice to offer.
        return DirectoryTarget(Path(self.directory), self.namespace or "default", allow_secrets=self.allow_secrets)

    @property
    def place(self) -> Place:
        """The settings that the commands of an advice need."""
        return Place.of(vars(self))


@dataclass(frozen=True)
class Context:
    """The means of a call. progress: called with each step."""

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
        """The namespace of the call; None is Helm's own choice."""
        return self.connection.namespace or ("default" if self.is_directory else None)

    @property
    def is_directory(self) -> bool:
        return self.connection.directory is not None

    def telling(self, progress: Progress) -> Context:
        """Returns the same, whose progress is told to somebody else."""
        return dataclasses.replace(self, progress=progress)

    def in_namespace(self, namespace: str | None) -> Context:
        """Returns the same in another namespace; for None, itself."""
        if namespace in (None, self.connection.namespace):
            return self
        return dataclasses.replace(self, connection=dataclasses.replace(self.connection, namespace=namespace))

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Completes the commands that errors of the block advise with the connection's flags."""
        try:
            yield
        except SidelaneError as error:
            error.complete(self.connection.place)
            raise

    def renderer(self, chart: Chart) -> Renderer:
        """Returns the renderer of a chart that is to be installed: it may ask the cluster for what only that knows."""
        cluster = not self.is_directory
        return Renderer(self.helm, self.namespace, server=cluster and chart.asks_the_cluster, upgrades=cluster)

    @asynccontextmanager
    async def chart(
        self, reference: str | os.PathLike[str], version: str | None = None, repo: str | None = None
    ) -> AsyncIterator[Chart]:
        """Finds a chart. One that Helm has to fetch is there for as long as the block lasts. Raises ChartNotFound."""
        if not isinstance(reference, str | os.PathLike):
            raise ChartNotFound(
                f"a chart is a name or a path, not {kind(reference)}", remedy="see `sidelane charts` for the names"
            )
        text = os.fspath(reference)
        if repo is None and not sources.is_remote(text):
            yield sources.find(text, version=version)
            return
        self.progress(f"fetching {text}")
        with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
            await self.helm.fetch(text, Path(folder), repo=repo, version=version)
            found = next(Path(folder).glob("*/Chart.yaml"), None)
            if found is None:
                raise ChartNotFound(f"what Helm fetched for {text!r} holds no chart", remedy="check the reference")
            yield Chart.load(found.parent)
