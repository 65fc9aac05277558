"""Every object's name ends in its lane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.rule import Context, Problem, Rule, in_lane
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane

_OBJECT: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels:
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
"""


def _check(context: Context) -> Iterator[Problem]:
    for obj, lane in context.in_lanes():
        if not in_lane(obj.name, lane):
            yield Problem(obj, "metadata.name", _message(obj.name, lane))


def _message(name: str, lane: Lane) -> str:
    if not name.endswith(f"-{lane}"):
        return f"the name {name!r} does not end in '-{lane}'"
    if parsed := parse_name(name):
        return f"the name {name!r} reads as {parsed[0]!r} in lane {parsed[1]}, not in {lane}"
    return f"the name {name!r} has no component of lower-case letters and digits before '-{lane}'"


RULE: Final[Rule] = Rule(
    id="lane-suffix",
    title="Every object's name ends in its lane",
    explanation=(
        "Two lanes can run side by side only if their objects have different names. Helm refuses to install an object "
        "that another release owns, and changes an object that this release owns in place. The rule includes "
        "cluster-scoped objects: the whole cluster shares their names."
    ),
    remedy="name it <component>-<Version>-<Build>, with the library chart's name template",
    wrong=(
        _OBJECT.format(name="zk"),
        _OBJECT.format(name="zk-2-coco-2"),
        _OBJECT.format(name="zk-7-2-coco-1"),
        _OBJECT.format(name="zk.2-coco-1"),
    ),
    right=(_OBJECT.format(name="zk-2-coco-1"), _OBJECT.format(name="zk-config-2-coco-1")),
    check=_check,
    origin="Sidelane's naming contract",
    scope="lanes",
)
