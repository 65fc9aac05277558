"""No object is duplicated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.manifest import Identity, Object

_OBJECT: Final = """\
---
apiVersion: {version}
kind: {kind}
metadata:
  name: zk-2-coco-1
  labels:
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
"""


def _check(context: Context) -> Iterator[Problem]:
    seen: dict[Identity, Object] = {}
    for obj in context.manifest.objects:
        first = seen.setdefault(obj.identity, obj)
        if first is not obj:
            yield Problem(obj, "", f"is a duplicate of the object in {first.source}, line {first.line}")


RULE: Final[Rule] = Rule(
    id="unique-identity",
    title="No object is duplicated",
    explanation=(
        "The API server identifies an object by group, kind, namespace and name, but not by version. Helm applies "
        "both, the last one wins, and the order depends on the names of the template files."
    ),
    remedy="remove one, or give its component another name",
    wrong=(
        _OBJECT.format(version="v1", kind="ConfigMap") * 2,
        _OBJECT.format(version="resource.k8s.io/v1", kind="ResourceClaim")
        + _OBJECT.format(version="resource.k8s.io/v1beta1", kind="ResourceClaim"),
    ),
    right=(_OBJECT.format(version="v1", kind="ConfigMap") + _OBJECT.format(version="v1", kind="ServiceAccount"),),
    check=_check,
    origin="Kubernetes, Object Names and IDs",
    scope="all",
)
