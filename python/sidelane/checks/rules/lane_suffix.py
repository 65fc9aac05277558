"""Every object's name ends in its lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sidelane.checks.conventions import preset
from sidelane.checks.conventions.patterns import accepts, names_lane, shown
from sidelane.checks.conventions.value import ANY
from sidelane.checks.rules.name_pattern import COMPONENT_REMEDY, component_problem
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane

_ENDS: Final = ("-{version}-{build}", "-{lane}")
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
        patterns = context.conventions.names_of(obj.kind)
        if any(map(names_lane, patterns)):
            known = context.known(obj, lane)
            if not accepts(patterns, obj.name, known):
                yield Problem(obj, "metadata.name", _message(obj.name, lane, patterns, known), _remedy(patterns))
            elif unknown := component_problem(context, patterns, obj.name):
                yield Problem(obj, "metadata.name", unknown, COMPONENT_REMEDY)


def _message(name: str, lane: Lane, patterns: tuple[str, ...], known: Mapping[str, str]) -> str:
    if not patterns[0].endswith(_ENDS):
        return f"the name {name!r} is not {' or '.join(shown(pattern, known) for pattern in patterns)}"
    if not name.endswith(f"-{lane}"):
        return f"the name {name!r} does not end in '-{lane}'"
    if (parsed := parse_name(name)) and parsed[1] != lane:
        return f"the name {name!r} reads as {parsed[0]!r} in lane {parsed[1]}, not in {lane}"
    if patterns == preset("sidelane").names_of(ANY):
        return f"the name {name!r} has no component of lower-case letters and digits before '-{lane}'"
    return f"the name {name!r} is not {' or '.join(shown(pattern, known) for pattern in patterns)}"


def _remedy(patterns: tuple[str, ...]) -> str:
    own = patterns == preset("sidelane").names_of(ANY)
    return "" if own else f"name it {' or '.join(patterns)}, as the conventions say"


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
