"""The Version and Build reach the containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers, is_test
from sidelane.manifest import Object, PodTemplate
from sidelane.manifest.fields import Fields, at, walk
from sidelane.naming.lane import Lane


def _check(context: Context) -> Iterator[Problem]:
    for obj, lane in context.in_lanes():
        if (template := obj.pod_template) and not is_test(obj):
            yield from _contradictions(obj, template, lane)


#: The settings of a container, and whether they are fields of the pod.
_TOLD: Final = Fields([
    ("env[].value", False), ("args[]", False), ("command[]", False), ("env[].valueFrom.fieldRef.fieldPath", True),
])  # fmt: skip


def _expected(lane: Lane) -> dict[str, str]:
    return {"SIDELANE_VERSION": lane.version, "SIDELANE_BUILD": lane.build, "SIDELANE_LANE": str(lane)}


def _contradictions(obj: Object, template: PodTemplate, lane: Lane) -> Iterator[Problem]:
    expected, is_told = _expected(lane), False
    for base, container in containers(template, ("containers", "initContainers")):
        for path, variable in walk(container, "env[]", base):
            name, value = at(variable, "name"), at(variable, "value")
            if isinstance(name, str) and name in expected and value is not None and value != expected[name]:
                yield Problem(obj, f"{path}.value", f"{name} is {shown(value)}, but the lane has {expected[name]!r}")
        is_told = is_told or _tells(container, lane)
    if not is_told:
        yield Problem(obj, template.within("spec.containers"), "no container is told its Version and Build")


def _tells(container: Mapping[str, Any], lane: Lane) -> bool:
    """Return whether a container gets its Version and Build, as text or from its pod's labels."""
    for _, value, is_field in _TOLD.walk(container):
        text = str(value)
        if "labels['" in text if is_field else lane.version in text or str(lane) in text:
            return True
    # Settings of the lane's own may hold them, too.
    return bool(walk(container, "envFrom[]"))


RULE: Final[Rule] = Rule(
    id="versions-reach-pods",
    title="The Version and Build reach the containers",
    explanation=(
        "A program that does not know its lane writes logs, metrics and records that nobody can tell from those of "
        "another lane; and values that no pod uses let two lanes run the same. A container gets them in its "
        "environment or arguments. A variable that contradicts the lane is a copy of another one's."
    ),
    remedy="add the library chart's environment, the template sidelane.env, to the containers",
    wrong=(
        edited(RELEASE, ('name: SIDELANE_BUILD, value: "1"', 'name: SIDELANE_BUILD, value: "2"')),
        edited(
            RELEASE,
            ("            - {name: SIDELANE_VERSION, value: 2-coco}\n", ""),
            ("            - {name: SIDELANE_LANE, value: 2-coco-1}\n", ""),
        ),
    ),
    right=(
        RELEASE,
        edited(RELEASE, ("value: 2-coco}", "valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}")),
    ),
    check=_check,
    origin="Sidelane's naming contract",
    scope="lanes",
    severity="warning",
    tests=False,
)
