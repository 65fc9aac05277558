"""No cluster-scoped object is in both releases, in whatever namespaces they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.checks.side_by_side.shared_objects import shared, touch_of
from sidelane.manifest import Object

#: Helm's comment above a file under crds/ of a chart or a subchart.
_CRDS: Final = re.compile(r"[^/]+/(?:charts/[^/]+/)*crds/")

_ROLE: Final = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
"""
_DEFINITION: Final = """\
---
# Source: {source}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.example.com}}
spec: {{group: example.com, scope: Cluster, names: {{kind: Widget, plural: widgets}}, versions: [{{name: {version}}}]}}
"""
_WIDGET: Final = """\
---
apiVersion: example.com/v1
kind: Widget
metadata: {{name: {name}, namespace: {namespace}}}
"""


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    for obj, other in shared(mine, theirs):
        if not mine.is_cluster_wide(obj):
            continue
        if _CRDS.match(obj.source) and _CRDS.match(other.source):
            yield _definition(obj, other)
        elif touch := touch_of(obj, other):
            yield touch


def _definition(obj: Object, other: Object) -> Touch:
    """Helm skips a definition of crds/ that exists, and neither updates nor deletes it."""
    if obj.canonical() == other.canonical():
        message = "is under crds/ of both releases, which share it: Helm never updates or deletes it"
        return Touch(obj, "", message, other, remedy="install definitions once for the cluster", severity="warning")
    message = "is under crds/ of both releases with other content: Helm keeps the first one and skips the second"
    return Touch(obj, "", message, other, remedy="install definitions that fit both, once for the cluster")


def _definitions(source: str, *versions: str) -> tuple[str, str]:
    first, second = (_DEFINITION.format(source=source, version=version) for version in versions)
    return first, second


CLASH: Final[Clash] = Clash(
    id="cluster-objects",
    title="No cluster-scoped object is in both releases",
    explanation=(
        "ClusterRoles, webhook configurations, definitions of custom resources, priority, storage and ingress classes "
        "have no namespace. Two releases that name one alike can't be installed, not even in two namespaces."
    ),
    remedy="put the release's name, and its namespace, into its name, or install it once for the cluster",
    wrong=(
        (_ROLE.format(name="app"), _ROLE.format(name="app")),
        _definitions("app/templates/crds/widgets.yaml", "v1", "v1"),
        _definitions("app/charts/sub/crds/widgets.yaml", "v1", "v2"),
        (
            _DEFINITION.format(source="app/crds/widgets.yaml", version="v1") + _WIDGET.format(name="w", namespace="a"),
            _WIDGET.format(name="w", namespace="b"),
        ),
    ),
    right=(
        (_ROLE.format(name="app-coco-1"), _ROLE.format(name="app-coco-2")),
        (_WIDGET.format(name="w", namespace="a"), _WIDGET.format(name="w", namespace="b")),
    ),
    find=_find,
    origin="Kubernetes, Namespaces: Not all objects are in a namespace; Helm, Custom Resource Definitions",
)
