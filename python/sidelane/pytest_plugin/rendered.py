"""The objects of one rendering, with typed queries. A query that finds nothing shows what there is."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidelane.charts.chart import Chart
from sidelane.manifest import Manifest, Object
from sidelane.naming.lane import Lane
from sidelane.pytest_plugin.places import located, shown
from sidelane.support.harmless import in_line

#: The most objects in a message.
_SHOWN = 40


class NotRendered(AssertionError):
    """Helm does not render the chart. ``message`` is Helm's own."""

    def __init__(self, chart: Chart, command: str, message: str) -> None:
        super().__init__(f"Helm does not render {shown(chart.path)}\n{message.strip()}\nrun it again with: {command}")
        self.message = message


@dataclass(frozen=True)
class Container:
    """A container of a pod, with its parts by name."""

    body: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.body[key]

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def image(self) -> str:
        return str(self.body["image"])

    @property
    def command(self) -> list[str]:
        return list(self.body.get("command") or ())

    @property
    def args(self) -> list[str]:
        return list(self.body.get("args") or ())

    @property
    def env(self) -> dict[str, Any]:
        """Environment variables: name → text, or the mapping under ``valueFrom``."""
        return {item["name"]: item.get("valueFrom", item.get("value", "")) for item in self.body.get("env") or ()}

    @property
    def ports(self) -> dict[str, int]:
        """Ports: name → number; a port without a name has its number as its name."""
        return {
            str(item.get("name", item["containerPort"])): item["containerPort"] for item in self.body.get("ports") or ()
        }

    @property
    def mounts(self) -> dict[str, Mapping[str, Any]]:
        """Volume mounts by their paths."""
        return {item["mountPath"]: item for item in self.body.get("volumeMounts") or ()}


@dataclass(frozen=True)
class Resource:
    """One rendered object. ``resource["spec"]`` reads its body."""

    object: Object
    _chart: Chart

    @functools.cached_property
    def template(self) -> str:
        """Its template, with a line if known: ``charts/demo/templates/service.yaml:1``."""
        return located(self._chart, self.object)

    def __repr__(self) -> str:
        return f"<{self.object.identity} of {self.template}>"

    def __getitem__(self, key: str) -> Any:
        return self.object.body[key]

    @property
    def body(self) -> Mapping[str, Any]:
        """The object as Kubernetes gets it."""
        return self.object.body

    @property
    def kind(self) -> str:
        return self.object.kind

    @property
    def name(self) -> str:
        return self.object.name

    @property
    def namespace(self) -> str:
        return self.object.identity.namespace

    @property
    def labels(self) -> Mapping[str, Any]:
        return self.object.labels

    @property
    def annotations(self) -> Mapping[str, Any]:
        return self.object.annotations

    @property
    def is_hook(self) -> bool:
        """True if Helm runs it as a hook."""
        return self.object.is_hook

    @property
    def pod(self) -> Mapping[str, Any]:
        """The spec of its pods. An AssertionError if it has none."""
        __tracebackhide__ = True
        template = self.object.pod_template
        if template is None:
            raise AssertionError(f"{self._title} has no pods")
        return template.spec

    @property
    def pod_labels(self) -> Mapping[str, Any]:
        """The labels of its pods."""
        template = self.object.pod_template
        return template.labels if template else {}

    @property
    def containers(self) -> list[Container]:
        """Its pods' containers, with the init containers first."""
        __tracebackhide__ = True
        pod = self.pod
        return [Container(item) for key in ("initContainers", "containers") for item in pod.get(key) or ()]

    def container(self, name: str | None = None) -> Container:
        """Return the container of this name, or the only one."""
        __tracebackhide__ = True
        containers = self.containers
        matching = [each for each in containers if name in (None, each.name)]
        if len(matching) == 1:
            return matching[0]
        names = ", ".join(each.name for each in containers) or "none"
        wanted = f"no container {name!r}" if name is not None else "not one container"
        raise AssertionError(f"{self._title} has {wanted}; its containers: {names}")

    @property
    def _title(self) -> str:
        return f"{self.template}: {self.object.identity}"


@dataclass(frozen=True)
class Rendered:
    """One rendering of a chart: its objects in Helm's order, with Lists split into their items."""

    chart: Chart
    release: str
    namespace: str
    lane: Lane | None
    values: Mapping[str, Any]
    text: str  # Helm's output
    command: str  # for messages

    def __repr__(self) -> str:
        return f"<{self.chart.name} rendered as the release {self.release}>"

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    @functools.cached_property
    def manifest(self) -> Manifest:
        """The objects as Kubernetes reads them. Raises InvalidManifest if they are not objects."""
        return Manifest.read(self.text, namespace=self.namespace, source=self.chart.name)

    @functools.cached_property
    def objects(self) -> Sequence[Resource]:
        """All objects, hooks too."""
        return tuple(Resource(obj, self.chart) for obj in self.manifest.objects)

    def all(self, kind: str | None = None) -> list[Resource]:
        """Return the objects of a kind, or all."""
        return [resource for resource in self.objects if kind in (None, resource.kind)]

    def names(self, kind: str) -> list[str]:
        """Return the names of the objects of a kind, in Helm's order."""
        return [resource.name for resource in self.all(kind)]

    def single(self, kind: str, name: str | None = None) -> Resource:
        """Return the object of this kind and name, or the only one of its kind.

        An AssertionError shows the objects that there are, with their templates.
        """
        __tracebackhide__ = True
        matching = [resource for resource in self.all(kind) if name in (None, resource.name)]
        if len(matching) == 1:
            return matching[0]
        wanted = in_line(kind if name is None else f"{kind} {name}")
        raise AssertionError(
            f"{shown(self.chart.path)} renders {len(matching) or 'no'} {wanted} as the release "
            f"{self.release}, not one; "
            f"it renders:\n{self._listed(kind if matching else None)}"
        )

    def _listed(self, kind: str | None) -> str:
        lines = [f"  {each.object.identity} ({each.template})" for each in self.all(kind)]
        more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        return "\n".join([*lines[:_SHOWN], *more]) or "  nothing"

    # -- the usual kinds ----------------------------------------------------------------------------------------------

    def configmap(self, name: str | None = None) -> Resource:
        """Return the ConfigMap of this name, or the only one; the other methods likewise."""
        __tracebackhide__ = True
        return self.single("ConfigMap", name)

    def cronjob(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("CronJob", name)

    def daemonset(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("DaemonSet", name)

    def deployment(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("Deployment", name)

    def ingress(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("Ingress", name)

    def job(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("Job", name)

    def secret(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("Secret", name)

    def service(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("Service", name)

    def statefulset(self, name: str | None = None) -> Resource:
        __tracebackhide__ = True
        return self.single("StatefulSet", name)
