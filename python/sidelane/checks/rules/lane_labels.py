"""Every object and pod has consistent lane labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.rule import Context, Problem, Rule, in_lane, shown
from sidelane.errors import InvalidName
from sidelane.manifest import Object
from sidelane.naming.contract import SERVICE_VERSION, component_name, parse_name
from sidelane.naming.labels import BUILD, LANE, VERSION
from sidelane.naming.lane import Lane

_DEPLOYMENT: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: svc1-v1-2-coco-1
  labels:
    app: {app}
    version: {version}
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "{build}"
    sidelane.dev/lane: 2-coco-1
spec:
  selector:
    matchLabels: {{app: svc1-2-coco-1}}
  template:
    metadata:
      labels:
        app: svc1-2-coco-1
        version: v1
        sidelane.dev/version: 2-coco
        sidelane.dev/build: "1"
        sidelane.dev/lane: {pod_lane}
    spec:
      containers: [{{name: main, image: registry.example/svc1:1.4.0}}]
"""
_GOOD: Final = {"app": "svc1-2-coco-1", "version": "v1", "build": "1", "pod_lane": "2-coco-1"}
_UNLABELLED: Final = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: svc1-2-coco-1
"""


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        lane = context.lane_of(obj)
        yield from _labels(obj, obj.labels, "metadata.labels", lane)
        if (template := obj.pod_template) and template.path:
            path = template.within("metadata.labels")
            yield from _labels(obj, template.labels, path, lane)


def _labels(obj: Object, labels: Mapping[str, Any], path: str, lane: Lane | None) -> Iterator[Problem]:
    missing = [key for key in ("app", VERSION, BUILD, LANE) if labels.get(key) is None]
    if missing:
        yield Problem(obj, path, f"lacks the label{'s' if missing[1:] else ''} {', '.join(missing)}")
    if lane is None:
        if LANE not in missing:
            yield Problem(obj, f"{path}[{LANE}]", f"{shown(labels[LANE])} is not a lane")
        return
    for key, expected in _expected(obj, lane).items():
        if key not in missing and labels.get(key) != expected:
            yield Problem(obj, f"{path}[{key}]", _difference(labels.get(key), expected))
    if "app" not in missing and (problem := _app_problem(labels["app"], lane)):
        yield Problem(obj, f"{path}[app]", problem)


def _expected(obj: Object, lane: Lane) -> dict[str, str]:
    expected = {VERSION: lane.version, BUILD: lane.build, LANE: str(lane)}
    named = parse_name(obj.name)
    service_version = named[0].rpartition("-")[2] if named and "-" in named[0] else ""
    # A service version in the name must also be a label, by which meshes distinguish versions.
    return {**expected, "version": service_version} if SERVICE_VERSION.fullmatch(service_version) else expected


def _difference(value: object, expected: str) -> str:
    if value is None:
        return f"is missing, but the name has {expected!r}"
    if not isinstance(value, str):
        return f"is {shown(value)}, but must be text"
    return f"is {shown(value)}, but must be {expected!r}"


def _app_problem(value: object, lane: Lane) -> str:
    if not in_lane(value, lane):
        return f"is {shown(value)}, but must be <component>-{lane}"
    try:
        component_name(str(value).removesuffix(f"-{lane}"), lane, kind="label")
    except InvalidName as error:
        return error.problem
    return ""


RULE: Final[Rule] = Rule(
    id="lane-labels",
    title="Every object and pod has consistent lane labels",
    explanation=(
        "Selectors, policies, kubectl and the admission policy find a lane by its labels, never by parsing names. "
        "Labels that contradict the name or each other put an object into two lanes. A label's value must be text: "
        "the API server refuses an object with the number 1 as its Build."
    ),
    remedy="use the library chart's label template for the object and for its pod template",
    wrong=(
        _UNLABELLED,
        _DEPLOYMENT.format_map({**_GOOD, "app": "svc1"}),
        _DEPLOYMENT.format_map({**_GOOD, "app": "svc1-v1-2-coco-1"}),
        _DEPLOYMENT.format_map({**_GOOD, "version": "v2"}),
        _DEPLOYMENT.format_map({**_GOOD, "build": "2"}),
        _DEPLOYMENT.format_map({**_GOOD, "pod_lane": "2-coco-2"}),
    ),
    right=(_DEPLOYMENT.format_map(_GOOD),),
    check=_check,
    origin="Sidelane's naming contract; Kubernetes, Recommended Labels",
    scope="lanes",
)
