"""No object is there twice."""

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
            yield Problem(obj, "", f"is there already, from {first.source}, line {first.line}")


RULE: Final[Rule] = Rule(
    id="unique-identity",
    title="No object is there twice",
    explanation=(
        "The API server knows an object by group, kind, namespace and name; the version is no part of it. Helm applies "
        "both, the last one wins, and which is last depends on the names of the template files."
    ),
    remedy="remove one, or give its component a name of its own",
    wrong=(
        _OBJECT.format(version="v1", kind="ConfigMap") * 2,
        _OBJECT.format(version="networking.k8s.io/v1", kind="Ingress")
        + _OBJECT.format(version="extensions/v1beta1", kind="Ingress"),
    ),
    right=(_OBJECT.format(version="v1", kind="ConfigMap") + _OBJECT.format(version="v1", kind="ServiceAccount"),),
    check=_check,
)
