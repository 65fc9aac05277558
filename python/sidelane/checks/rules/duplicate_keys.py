"""No mapping has a key twice."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.rule import Context, Problem, Rule

_OBJECT: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: zk-2-coco-1
  labels:
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
data:
  a: one
  {key}: two
"""


def _check(context: Context) -> Iterator[Problem]:
    duplicates = context.manifest.duplicates
    objects = sorted(context.manifest.objects, key=lambda obj: obj.line) if duplicates else []
    for duplicate in duplicates:
        # The object whose document has the line; the first, if it is a List.
        at = bisect.bisect_right(objects, duplicate.line, key=lambda obj: obj.line) - 1
        if at >= 0:
            first = bisect.bisect_left(objects, objects[at].line, key=lambda obj: obj.line)
            what = f"the key {duplicate.key!r} is duplicated at line {duplicate.line} of the manifest"
            yield Problem(objects[first], "", what)


RULE: Final[Rule] = Rule(
    id="duplicate-keys",
    title="No mapping has a key twice",
    explanation=(
        "Helm keeps the last of two equal keys and says nothing, so half of what the chart's author wrote is lost. "
        "Other readers of YAML keep the first, or refuse the file: `helm template | kubectl apply` and a GitOps "
        "controller may deploy different objects."
    ),
    remedy="remove one of the two from the template",
    wrong=(_OBJECT.format(key="a"),),
    right=(_OBJECT.format(key="b"),),
    check=_check,
    origin="YAML 1.2, 3.2.1.3 Node Comparison: keys of a mapping are unique",
    scope="all",
)
