"""Every object and pod has consistent lane labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sidelane.checks.conventions.patterns import accepts, placeholders
from sidelane.checks.conventions.patterns import shown as filled
from sidelane.checks.findings import Fix
from sidelane.checks.rules.label_pattern import of_lane
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.manifest import Object
from sidelane.naming.contract import SERVICE_VERSION, parse_name
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
    patterns = {key: pattern for key, pattern in context.conventions.labels.items() if of_lane(pattern)}
    # A service version in the name must also be a label, by which meshes distinguish versions.
    optional = frozenset(key for key, pattern in patterns.items() if "serviceVersion" in placeholders(pattern))
    for obj in context.manifest.objects if patterns else ():
        lane = context.lane_of(obj)
        required = _Required(patterns, optional, _known(context, obj, lane), context.lane_label)
        yield from _labels(obj, obj.labels, "metadata.labels", required)
        if (template := obj.pod_template) and template.path:
            yield from _labels(obj, template.labels, template.within("metadata.labels"), required)


class _Required(NamedTuple):
    """The labels that an object needs: their patterns, and the known texts of the placeholders.

    optional: the labels that only an object with a service version in its name needs.
    """

    patterns: Mapping[str, str]
    optional: frozenset[str]
    known: Mapping[str, str]
    lane_label: str


def _known(context: Context, obj: Object, lane: Lane | None) -> Mapping[str, str]:
    known = context.known(obj, lane)
    named = parse_name(obj.name)
    service_version = named[0].rpartition("-")[2] if named and "-" in named[0] else ""
    return {**known, "serviceVersion": service_version} if SERVICE_VERSION.fullmatch(service_version) else known


def _labels(obj: Object, labels: Mapping[str, Any], path: str, required: _Required) -> Iterator[Problem]:
    patterns, optional, known, lane_label = required
    missing = [key for key in patterns if key not in optional and labels.get(key) is None]
    if missing:
        yield Problem(obj, path, f"lacks the label{'s' if missing[1:] else ''} {', '.join(missing)}")
    if "lane" not in known:
        if lane_label and lane_label not in missing:
            yield Problem(obj, f"{path}[{lane_label}]", f"{shown(labels[lane_label])} is not a lane")
        return
    for key, pattern in patterns.items():
        if key in missing or (key in optional and "serviceVersion" not in known):
            continue
        if not accepts((pattern,), labels.get(key), known):
            at = f"{path}[{key}]"
            fix = Fix(at, filled(pattern, known)) if placeholders(pattern) <= known.keys() else None
            yield Problem(obj, at, _difference(labels.get(key), pattern, known), fix=fix)


def _difference(value: object, pattern: str, known: Mapping[str, str]) -> str:
    whole = placeholders(pattern) <= known.keys()
    expected = repr(filled(pattern, known)) if whole else filled(pattern, known)
    if value is None:
        return f"is missing, but the name has {expected}"
    if whole and not isinstance(value, str):
        return f"is {shown(value)}, but must be text"
    return f"is {shown(value)}, but must be {expected}"


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
    fix="give the label the value of its lane, which the finding names",
)
